"""Tables and error texts that the commands end with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from .console import err
from .diagnose import diagnose
from .plan import Plan, total
from .rollout import Report, Rollout
from .schedule import Outcome
from .terraform import StackRunner, TerraformError

_COLUMNS = (("create", "green"), ("update", "yellow"), ("replace", "red"), ("destroy", "red"))


def print_plans(rollout: Rollout) -> None:
    """Show what the plans would do, and by name what they would destroy."""
    table = Table(title=f"Plan for {rollout.workspace.environment}", title_justify="left", box=None, pad_edge=False)
    table.add_column("stack")
    for name, style in _COLUMNS:
        table.add_column(name, justify="right", style=style)
    table.add_column("", style="dim")
    for name, stack in rollout.stacks.items():
        plan = rollout.plans.get(name)
        if plan is None:
            needs = ", ".join(need for need in rollout.stacks if need in stack.dependencies)
            note = "plan failed" if name in rollout.failures else f"planned once deployed: {needs}"
            table.add_row(name, "", "", "", "", note)
        else:
            table.add_row(name, *_counts(plan), _note(plan))
    err.print(table)
    for name, lost in rollout.lost.items():
        for address in lost:
            err.print(Text.assemble(("  destroys ", "red"), (name, "bold"), f" {address}"))
    changes = total(rollout.plans.values())
    err.print(f"Total: {changes}.", markup=False)


def _counts(plan: Plan) -> list[str]:
    return [str(getattr(plan.changes, name) or "·") for name, _ in _COLUMNS]


def _note(plan: Plan) -> str:
    if plan.changes.empty:
        return "up to date"
    return "outputs only" if not plan.changes.resources else ""


def print_failure(runner: StackRunner, error: TerraformError, redeploy: str) -> None:
    """Show what Terraform said and the way on."""
    err.print(Text.assemble((f"{error.stack}: ", "bold red"), f"terraform {error.action} failed"))
    folder = _relative(runner.stack.folder)
    found = diagnose(error.output, folder, f"`{redeploy}`")
    for diagnosis in found:
        err.print(diagnosis.text, markup=False)
        if diagnosis.fix:
            err.print("[bold]Fix:[/] ", end="")
            err.print(diagnosis.fix, markup=False, soft_wrap=True)
    if not found:
        for line in error.output.rstrip().splitlines()[-15:]:
            err.print(f"  {line}", markup=False)
    err.print(f"Full log: {_relative(runner.log)}", markup=False)


def reports_as_json(environment: str, reports: Mapping[str, Report]) -> dict[str, Any]:
    """Return the result of a run for a program to read."""
    return {
        "environment": environment,
        "ok": all(report.outcome == Outcome.DONE for report in reports.values()),
        "stacks": {
            name: {
                "outcome": "refused" if report.refused else report.outcome.value,
                "seconds": round(report.seconds, 1),
                "changes": plan_as_json(Plan(report.changes, report.refused)),
            }
            for name, report in reports.items()
        },
    }


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Return a plan's counts and losses for a program to read."""
    changes = plan.changes
    return {
        "create": changes.create,
        "update": changes.update,
        "replace": changes.replace,
        "destroy": changes.destroy,
        "outputs": changes.outputs,
        "lost": list(plan.lost),
    }


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
