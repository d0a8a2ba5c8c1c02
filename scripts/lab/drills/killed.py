"""An apply that is killed: with the machine it ran on, in the middle of what it was doing."""

import random
from collections.abc import Iterator

from .base import Finding, Size
from .recovery import Recovery, recover
from .stage import Stage
from .watched import watched

QUICK = ("address", "acr", "disks")
"""Stacks that read no other one and are applied in seconds."""


def killed(stage: Stage, size: Size) -> Iterator[Finding]:
    """Deploy stacks from nothing, killed at moments chosen by the seed; the next runs have to make it whole.

    A moment is a write of a stack, and whether it was done when the machine went off.
    """
    for stack, number, after in moments(stage, size):
        when = "after" if after else "before"
        fault: dict[str, object] = {
            "resource": "*",
            "stack": stack,
            "on": "create",
            "effect": "kill-after" if after else "kill",
            "skip": number,
        }

        def play(stack: str = stack, fault: dict[str, object] = fault) -> Recovery:
            stage.faults(fault)
            first = stage.deploy(stack)
            stage.faults()
            return recover(stage, stack, first=first)

        yield watched(stage, f"{stack}, {when} write {number + 1}", play, stack, moment=f"before {stack}")


def moments(stage: Stage, size: Size) -> list[tuple[str, int, bool]]:
    """Return stack, number of the write and whether it was done, for as many moments as asked for."""
    chooser = random.Random(size.seed)  # noqa: S311 - chosen, not secret
    known = [
        (stack, number, after)
        for stack in size.of(stage)
        for number in range(stage.writes[stack])
        for after in (False, True)
    ]
    return sorted(chooser.sample(known, min(size.moments, len(known))))
