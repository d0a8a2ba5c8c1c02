"""`llmctl synth`: the Terraform files of an environment."""

from typing import Annotated

import typer

from scripts.core.console import err, out, print_json
from scripts.core.environment_lock import environment_lock
from scripts.core.processes import Processes
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.workspace import CACHE, Workspace
from scripts.terraform.synthesis import synthesize

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def synth(
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", help="Environment to write.", autocompletion=complete_environment),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print stacks and folders as JSON.")] = False,
) -> None:
    """Write the Terraform files of an environment to cdktf.out/ENV. Needs neither Terraform nor Azure.

    Examples: `llmctl synth prod`, `llmctl synth --json`
    """
    name = parse_targets([] if environment is None else [environment]).environment
    load_environment(name)
    workspace = Workspace(name)
    processes = Processes()
    with environment_lock(CACHE / "locks", workspace.lock_name, "synth"), processes.forwarding_signals():
        warnings = synthesize(workspace, processes)
    stacks = workspace.stacks()
    if as_json:
        print_json(
            {
                "environment": name,
                "warnings": warnings,
                "stacks": {
                    stack.name: {"folder": str(stack.folder), "dependencies": sorted(stack.dependencies)}
                    for stack in stacks.values()
                },
            }
        )
        return
    for warning in warnings:
        err.print(f"Warning: {warning}", markup=False)
    for stack in stacks.values():
        out.print(f"{stack.name}: {stack.folder}", markup=False)
