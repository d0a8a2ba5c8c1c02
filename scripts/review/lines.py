"""A review as plain lines, in the form of a difference: what the text and the Markdown output share."""

import difflib
from collections.abc import Iterator

from scripts.cost.prices import Prices, listed

from .changes import Kind, ResourceChange
from .differences import Difference
from .report import MARKS, Review


def loss_lines(found: Review) -> Iterator[tuple[str, str]]:
    """Yield every loss as its sentence, and why it is refused or an empty text."""
    for stack, change in found.losses:
        if change.kind is Kind.BACK:
            yield (
                f"takes back {stack}/{change.address}",
                (refusal.why if (refusal := found.refusal_of(stack, change)) else ""),
            )
            continue
        because = f" because of {', '.join(change.because)}" if change.because else ""
        refusal = found.refusal_of(stack, change)
        yield f"{_VERBS[change.kind]} {stack}/{change.address}{because}", refusal.why if refusal else ""


_VERBS = {Kind.REPLACE: "replaces", Kind.DESTROY: "destroys", Kind.FORGET: "forgets"}


def change_lines(change: ResourceChange, prices: Prices | None = None) -> Iterator[str]:
    """Yield what happens to one resource; the first character of each line is `+`, `-`, `!`, `~`, `>` or a blank.

    Costs are at `prices`, those of the dated list where none are given.
    """
    notes: list[str] = []
    if change.kind is Kind.BACK:
        notes += change.because
    elif change.because:
        notes.append(f"replaced because of {', '.join(change.because)}")
    if change.moved_from:
        notes.append(f"moved from {change.moved_from}")
    if change.outside:
        notes.append("changed outside Terraform")
    cost = change.billed and change.billed.cost(prices or listed())
    if cost and cost.known:
        notes.append(str(cost))
    yield f"{MARKS[change.kind.value]} {change.address}" + (f"  ({'; '.join(notes)})" if notes else "")
    for difference in change.differences:
        yield from _difference_lines(difference)
    if change.values:
        yield "      values:"
        # The sign leads the line, so that every viewer of differences colours it.
        yield from (f"{line[:1]}       {line[1:]}" for line in change.values)


def _difference_lines(difference: Difference) -> Iterator[str]:
    before, after = difference.before, difference.after
    if "\n" not in before + after:
        yield f"      {difference.path}: {before} → {after}"
        return
    yield f"      {difference.path}:"
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[:1]}       {line[1:]}"
