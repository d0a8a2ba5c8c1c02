"""A review as text for a terminal or a log."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .lines import change_lines, loss_lines
from .report import Review, cost_lines, unread_lines

_COLUMNS = (("create", "green"), ("update", "yellow"), ("replace", "red"), ("destroy", "red"), ("move", "cyan"))
_STYLES = {"+": "green", "-": "red", "!": "bold red", "~": "yellow", ">": "cyan"}


def print_review(found: Review, out: Console) -> None:
    """Print what is lost first, then the counts, then every change."""
    losses = list(loss_lines(found))
    if losses:
        out.print(Text(f"DESTROYED OR REPLACED in {found.environment}: {len(losses)}", "bold red"))
        for sentence, why in losses:
            out.print(Text.assemble("  ", sentence, (f"  refused: {why}" if why else "", "bold red")), soft_wrap=True)
        out.print()
    out.print(_table(found))
    for stack, plan in found.plans.items():
        if not plan.resources:
            continue
        out.print(f"\n[bold]{stack}[/]")
        for change in plan.resources:
            for line in change_lines(change, found.prices):
                out.print(Text(f"  {line}", _STYLES.get(line[:1], "")), soft_wrap=True)
    for line in [*unread_lines(found), *cost_lines(found)]:
        out.print(f"\n{line}", markup=False, soft_wrap=True)
    for allowance in found.unused:
        out.print(f"\nAgreed to, but not lost by these plans: {allowance}", markup=False)


def _table(found: Review) -> Table:
    table = Table(title=f"Plan for {found.environment}", title_justify="left", box=None, pad_edge=False)
    table.add_column("stack")
    for name, style in _COLUMNS:
        table.add_column(name, justify="right", style=style)
    table.add_column("", style="dim")
    for stack, plan in found.plans.items():
        note = "up to date" if plan.changes.empty else "outputs change" if plan.changes.outputs else ""
        table.add_row(stack, *(str(getattr(plan.changes, name) or "·") for name, _ in _COLUMNS), note)
    for stack, needs in found.waiting.items():
        table.add_row(stack, *[""] * len(_COLUMNS), f"planned once deployed: {', '.join(needs)}")
    for stack in found.failed:
        table.add_row(stack, *[""] * len(_COLUMNS), "plan failed")
    return table
