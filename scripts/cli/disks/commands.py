"""`llmctl disks`: grow a disk, bind one again, start what was stopped for one, free those of a dead node."""

from typing import Annotated

import typer

from scripts.cli.options import Environment, Yes
from scripts.cli.tools import tools_of
from scripts.cluster.dead_node import return_to_service, stuck_pods, take_out_of_service
from scripts.cluster.pausing import paused_workloads
from scripts.cluster.pausing import resume as resume_workload
from scripts.cluster.volumes import free, released
from scripts.core.consent import Consent, confirm_by_name
from scripts.core.console import err, out
from scripts.core.targets import known_environment

from .grow import grow

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Data disks: grow one, bind one again, free those of a dead node.",
)
app.command("grow")(grow)


@app.command("rebind")
def rebind(context: typer.Context, environment: Environment = None, *, yes: Yes = False) -> None:
    """Let new claims have the volumes whose claim or namespace was deleted by hand.

    A volume that is `Released` remembers the deleted claim, and a new one of the same name stays `Pending`. Lists those
    volumes, asks, and clears the uid in their `claimRef`; nothing on a disk or share is touched. Deploy `platform`
    afterwards where the claim is still missing. Volumes that are bound are left alone.

    Examples: `llmctl disks rebind prod`, `llmctl disks rebind dev --yes`
    """
    tools, name = tools_of(context), known_environment(environment)
    kubectl = tools.kubectl_of(name)
    found = released(kubectl)
    if not found:
        err.print("No volume has lost its claim.")
        return
    for volume in found:
        err.print(f"  {volume}", markup=False)
    Consent(name, yes, terminal=tools.terminal).obtain("Let new claims of these names have these volumes?", {})
    for volume in found:
        free(kubectl, volume)
    out.print(f"{len(found)} volumes are free. Claims that wait are bound now; else `llmctl deploy {name} platform`.")


@app.command("resume")
def resume(context: typer.Context, environment: Environment = None) -> None:
    """Start what a command stopped to work on a disk and could not start again.

    Examples: `llmctl disks resume prod`, `llmctl disks resume`
    """
    tools, name = tools_of(context), known_environment(environment)
    kubectl = tools.kubectl_of(name)
    found = paused_workloads(kubectl)
    for namespace, workload in found:
        resume_workload(kubectl, namespace, workload)
        out.print(f"{workload} in {namespace} is started again", markup=False)
    if not found:
        err.print("Nothing was stopped.")


@app.command("free-node")
def free_node(
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="A node that does not answer and will not come back.")],
    environment: Environment = None,
    *,
    confirm: Annotated[str | None, typer.Option(metavar="NODE", help="Agree beforehand, by the node's name.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Let pods run there again, after it was repaired.")] = False,
) -> None:
    """Let go of the pods and disks of a node that is gone, so that they start elsewhere.

    Refuses a node that answers. Make sure that its virtual machine is stopped or deleted: a store that still writes
    there would be damaged by a second one. Lists the pods, and asks for the node's name.

    Examples: `llmctl disks free-node aks-workload-12345678-vmss000001 prod`,
    `llmctl disks free-node aks-workload-12345678-vmss000001 prod --back`
    """
    tools, name = tools_of(context), known_environment(environment)
    kubectl = tools.kubectl_of(name)
    if back:
        return_to_service(kubectl, node)
        out.print(f"Pods may run on {node} again.", markup=False)
        return
    for pod in stuck_pods(kubectl, node):
        err.print(f"  {pod}", markup=False)
    question = f"Is the machine of {node} stopped or deleted, so that nothing there writes?"
    confirm_by_name(node, confirm, question, done="done", terminal=tools.terminal)
    take_out_of_service(kubectl, node)
    out.print(
        f"{node} is out of service: its pods start elsewhere. If it comes back:"
        f" `llmctl disks free-node {node} {name} --back`",
        markup=False,
    )
