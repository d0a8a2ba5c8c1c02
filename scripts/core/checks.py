"""Checks of a running platform: one thing looked at, and what is wrong with it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .console import err

POLL_S = 10.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    problem: str
    """What is wrong, empty when nothing is."""


def failed(checks: Iterable[Check]) -> bool:
    """Tell whether any check found something wrong."""
    return any(check.problem for check in checks)


def print_checks(checks: list[Check]) -> None:
    """Show each check with its outcome."""
    for check in checks:
        mark = "[red]✗[/]" if check.problem else "[green]✓[/]"
        err.print(mark, end=" ")
        err.print(f"{check.name}{f': {check.problem}' if check.problem else ''}", markup=False, soft_wrap=True)


def wait_until_passed(
    look: Callable[[], list[Check]],
    report: Callable[[str], object],
    *,
    patience_s: float,
    poll_s: float = POLL_S,
) -> list[Check]:
    """Look until nothing is wrong or the patience is used up, and return what was seen last.

    What is wrong is reported whenever it changes.
    """
    deadline = time.monotonic() + patience_s
    reported = ""
    while True:
        checks = look()
        problems = [f"{check.name}: {check.problem}" for check in checks if check.problem]
        if not problems or time.monotonic() >= deadline:
            return checks
        if problems[0] != reported:
            reported = problems[0]
            report(f"waiting: {reported}")
        time.sleep(min(poll_s, max(0.0, deadline - time.monotonic())))
