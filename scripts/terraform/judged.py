"""What a plan gives up: what somebody has to agree to before it is applied."""

from collections.abc import Callable

from scripts.core.workspace import Stack
from scripts.review.changes import ResourceChange
from scripts.review.plan import Plan


def losses_of(plan: Plan, stack: Stack, *, destroy: bool) -> tuple[str, ...]:
    """Return what a stack loses: in a durable one also what vanished, since a new one would be empty."""
    vanished = plan.vanished if stack.durable and not destroy else ()
    return (*plan.lost, *(f"{address} (vanished, would be made anew)" for address in vanished))


def taken_back(plan: Plan, may: Callable[[ResourceChange], bool]) -> tuple[str, ...]:
    """Return the deployed values that a plan takes back and may not."""
    return tuple(f"{change.address}: {'; '.join(change.because)}" for change in plan.back if not may(change))
