"""`llmctl outputs`: what every stack hands on to people and programs."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.table import Table

from scripts.core.console import err, out, print_json
from scripts.core.errors import OperatorError
from scripts.core.processes import Processes
from scripts.core.schedule import PARALLELISM
from scripts.core.targets import TARGETS_HELP, complete_targets, load_environment, parse_targets
from scripts.core.workspace import Workspace
from scripts.terraform.prepare import require_terraform
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import TerraformError
from scripts.terraform.summary import print_failures
from scripts.terraform.synthesis import synthesize

app = typer.Typer(rich_markup_mode="rich")

MASK = "(sensitive)"


@app.command()
def outputs(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outputs as JSON.")] = False,
) -> None:
    """Show the outputs of every stack, or of those named. Sensitive values are masked, also in JSON."""
    chosen = parse_targets(targets)
    load_environment(chosen.environment)
    terraform = require_terraform()
    workspace = Workspace(chosen.environment)
    processes = Processes()
    if not (workspace.output / "manifest.json").exists():
        synthesize(workspace, processes)
    stacks = workspace.stacks()
    run = Rollout(workspace, {name: stacks[name] for name in chosen.select(stacks)}, terraform, processes)
    values = read_outputs(run)
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


def read_outputs(run: Rollout) -> dict[str, dict[str, Any]]:
    """Return the outputs by stack and name, sensitive ones masked. Raises OperatorError."""
    failures: dict[str, TerraformError] = {}

    def read(name: str) -> dict[str, Any]:
        try:
            found = run.runner(name).outputs()
        except TerraformError as error:
            failures[name] = error
            return {}
        return {key: MASK if output["sensitive"] else output["value"] for key, output in sorted(found.items())}

    with ThreadPoolExecutor(max_workers=PARALLELISM) as pool:
        values = dict(zip(run.stacks, pool.map(read, run.stacks), strict=True))
    failures = {name: failures[name] for name in run.stacks if name in failures}
    print_failures(run, failures, f"llmctl outputs {run.workspace.environment}")
    if failures:
        raise OperatorError(f"cannot read the outputs of {', '.join(failures)}")
    return values
