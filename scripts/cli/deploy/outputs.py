"""`llmctl outputs`: what every stack publishes to people and programs."""

import json
from typing import Annotated

import typer
from rich.table import Table

from scripts.core.console import err, out, print_json
from scripts.core.targets import TARGETS_HELP, complete_targets, load_environment, parse_targets
from scripts.core.workspace import Workspace
from scripts.terraform.outputs import read_outputs, runners

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def outputs(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outputs as JSON.")] = False,
) -> None:
    """Show the outputs of every stack, or of those named. Sensitive values are masked, also in JSON.

    Examples: `llmctl outputs prod`, `llmctl outputs prod aks --json`
    """
    chosen = parse_targets(targets)
    load_environment(chosen.environment)
    workspace = Workspace(chosen.environment)
    values = read_outputs(chosen.environment, runners(workspace, chosen.stacks))
    if as_json:
        print_json({"environment": chosen.environment, "stacks": values})
        return
    for stack, found in values.items():
        if not found:
            err.print(f"{stack}: not deployed", markup=False)
            continue
        table = Table(
            title=stack, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
        )
        for name, value in found.items():
            table.add_row(name, value if isinstance(value, str) else json.dumps(value))
        out.print(table)
