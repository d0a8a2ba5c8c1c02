"""`llmctl destroy`: the disposable stacks, or those named."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core.console import err, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, complete_targets, parse_targets
from scripts.core.tiers import DISPOSABLE
from scripts.deployment.bring_up import failure_code
from scripts.deployment.taking_down import take_down
from scripts.terraform import summary
from scripts.terraform.prepare import Job

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

PROTECTED = """{names} hold data or names and are protected: Terraform refuses to destroy what is marked
prevent_destroy, and Azure refuses where a CanNotDelete lock stands. `llmctl cleanup` deletes them on purpose
(docs/how-to/delete-an-environment.md)."""


@app.command()
def destroy(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV] [STACK]...",
            help=f"Environment, then stacks; {', '.join(DISPOSABLE)} where none is named.",
            autocompletion=complete_targets,
        ),
    ] = None,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="ENV", help="Agree beforehand, by the environment's name.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Destroy network, cluster and everything that runs in it. Disks, databases, secrets and addresses stay.

    Lists what would be destroyed and asks for the environment's name. `llmctl deploy` creates the same platform again,
    on the same disks and databases.

    identity, disks, acr, database and address are left alone unless named, and refuse even then.

    Examples: `llmctl destroy dev`, `llmctl destroy dev platform --confirm dev`
    """
    tools, named = tools_of(context), parse_targets(targets)
    chosen = named if named.stacks else Targets(named.environment, DISPOSABLE)
    _refuse_to_strand(chosen)
    with tools.rollout(Job("destroy", chosen, tools.workspace(chosen.environment), destroy=True)) as run:
        protected = [name for name, stack in run.stacks.items() if stack.durable]
        if protected:
            err.print(PROTECTED.format(names=", ".join(protected)), markup=False)
        ok = take_down(run, chosen, confirm, tools.terminal)
        if as_json:
            print_json(summary.reports_as_json(chosen.environment, run.reports))
    if not ok:
        raise typer.Exit(failure_code(run))
    err.print(f"To bring it back: `llmctl deploy {chosen.environment}`", markup=False)


def _refuse_to_strand(chosen: Targets) -> None:
    """Refuse to destroy what a disposable stack that stays depends on."""
    first = min((DISPOSABLE.index(name) for name in chosen.stacks if name in DISPOSABLE), default=None)
    if first is None:
        return
    stranded = [name for name in DISPOSABLE[first:] if name not in chosen.stacks]
    if stranded:
        suggestion = " ".join(["llmctl destroy", chosen.environment, *DISPOSABLE[first:]])
        raise OperatorError(
            f"{', '.join(stranded)} would be left without what it stands on",
            f"`{suggestion}` takes them down together",
            ExitCode.USAGE,
        )
