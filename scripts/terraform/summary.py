"""Plans and results of a run, as tables for people and as JSON for programs."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from scripts.core.console import err
from scripts.core.schedule import Outcome
from scripts.review.changes import Kind
from scripts.review.plan import Plan, total

from .rollout import Report, Rollout

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
    for name, plan in rollout.plans.items():
        if rollout.stacks[name].durable and not rollout.destroy:
            _print_creations(name, plan)
    changes = total(rollout.plans.values())
    err.print(f"Total: {changes}.", markup=False)


def _print_creations(name: str, plan: Plan) -> None:
    """Name what is new in a stack that holds data and is deployed: hardly anything ever is."""
    if not (plan.exists or plan.vanished):
        return
    for resource in plan.resources:
        if resource.kind is Kind.CREATE and resource.address not in plan.vanished:
            err.print(Text.assemble(("  creates ", "green"), (name, "bold"), f" {resource.address}"))
    if plan.vanished:
        err.print(
            f"{name} holds data. What vanished was deleted outside Terraform; a new one would be empty, or lock out"
            " what was set up with the old one. Bring it back instead, then deploy again:",
            markup=False,
        )
        for command in plan.recovery:
            err.print(f"  {command}", markup=False, soft_wrap=True)
        if len(plan.recovery) < len(plan.vanished):
            err.print(
                "  docs/how-to/restore-postgresql.md and docs/how-to/disks.md: restore from backups", markup=False
            )


def _counts(plan: Plan) -> list[str]:
    return [str(getattr(plan.changes, name) or "·") for name, _ in _COLUMNS]


def _note(plan: Plan) -> str:
    if plan.changes.empty:
        return "up to date"
    return "outputs only" if not plan.changes.resources else ""


def reports_as_json(environment: str, reports: Mapping[str, Report]) -> dict[str, Any]:
    """Return the result of a run for a program to read."""
    return {
        "environment": environment,
        "ok": all(report.outcome == Outcome.DONE for report in reports.values()),
        "stacks": {
            name: {
                "outcome": "refused" if report.refused or report.unreviewed else report.outcome.value,
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
