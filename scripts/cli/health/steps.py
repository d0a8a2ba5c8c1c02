"""Steps of the health check: each looked at in turn, and shown as it ends."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from scripts.core.console import err
from scripts.core.errors import OperatorError


@dataclass(frozen=True)
class Step:
    """One part of the path."""

    name: str
    problem: str = ""
    """What is wrong, empty when nothing is."""
    detail: str = ""
    """What was seen, for people."""
    fix: str = ""
    """What to do about the problem."""
    seconds: float = 0.0
    fake: bool = False
    """Whether nothing real was asked."""


Part = tuple[str, Callable[[], Step]]
"""What is looked at, and how."""


def go(parts: list[Part]) -> Iterator[Step]:
    """Look at one part after the other; one that cannot be asked is a problem of its own, and the next still is."""
    for name, look in parts:
        started = time.monotonic()
        try:
            step = look()
        except OperatorError as error:
            step = Step(name, problem=error.message, fix=error.fix)
        yield Step(**{**asdict(step), "seconds": round(time.monotonic() - started, 1)})


def show(step: Step) -> None:
    """Print one step as it ends."""
    mark = "[red]✗[/]" if step.problem else "[yellow]~[/]" if step.fake else "[green]✓[/]"
    err.print(mark, end=" ")
    said = step.problem or step.detail
    err.print(f"{step.name}{f': {said}' if said else ''} ({step.seconds:.1f} s)", markup=False, soft_wrap=True)
    if step.problem and step.fix:
        err.print(f"  {step.fix}", markup=False, soft_wrap=True)


def print_verdict(environment: str, steps: list[Step]) -> None:
    """Print the last line."""
    wrong = [step.name for step in steps if step.problem]
    if wrong:
        err.print(f"{environment}: something is wrong with {', '.join(wrong)}", style="red", markup=False)
    elif any(step.fake for step in steps):
        err.print(f"{environment} stands in the rehearsal. Nothing marked ~ is real: no pod runs there.", markup=False)
    else:
        err.print(f"{environment} answers, from the login to the trace.", style="green", markup=False)
