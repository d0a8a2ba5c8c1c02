"""`llmctl diff`: what a deployment would change, and nothing else."""

from typing import Annotated

import typer

from . import summary
from .console import print_json
from .errors import ExitCode, OperatorError
from .plan import total
from .prepare import Job, rollout
from .schedule import PARALLELISM
from .targets import TARGETS_HELP, complete_targets, parse_targets
from .workspace import Workspace

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def diff(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 6 when changes are pending.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Show every attribute, as Terraform does.")] = False,
    parallelism: Annotated[int, typer.Option(min=1, help="Stacks planned at once.")] = PARALLELISM,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Show what a deployment would change.

    Plans every stack, or those named, and counts what would be created, updated, replaced and destroyed; what would be
    lost is listed by name. Changes nothing.
    """
    chosen = parse_targets(targets)
    with rollout(Job("diff", chosen, Workspace(chosen.environment), parallelism)) as run:
        run.plan()
        if as_json:
            plans = {name: summary.plan_as_json(plan) for name, plan in run.plans.items()}
            later = [name for name in run.stacks if name not in run.plans and name not in run.failures]
            print_json(
                {
                    "environment": chosen.environment,
                    "stacks": plans,
                    "not_plannable_yet": later,
                    "failed": list(run.failures),
                }
            )
        else:
            summary.print_plans(run)
        if full:
            for name, plan in run.plans.items():
                if not plan.changes.empty:
                    typer.echo(f"\n{name}\n{run.runner(name).show_plan()}")
        redeploy = " ".join(["llmctl", "diff", chosen.environment, *chosen.stacks])
        for name, error in run.failures.items():
            summary.print_failure(run.runner(name), error, redeploy)
        if run.failures:
            raise OperatorError(f"planning failed: {', '.join(run.failures)}")
        pending = len(run.plans) < len(run.stacks) or not total(run.plans.values()).empty
    if pending and detailed_exitcode:
        raise typer.Exit(ExitCode.CHANGES)
