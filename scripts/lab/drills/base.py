"""What a drill is, and what it finds."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from .stage import Stage

_Form = TypeVar("_Form")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of a drill runs."""

    seed: int = 1
    """Chooses the moments and resources where not all are tried; the same seed tries the same ones."""
    moments: int = 50
    """Moments at which an apply is killed."""
    forms: int | None = None
    """Forms of a drill that are played, chosen by the seed: groups, disks, ways, rounds; all where it is None."""
    stacks: tuple[str, ...] = ()
    """Stacks that something happens to; all of the stage where none is named."""

    def some(self, forms: Sequence[_Form]) -> list[_Form]:
        """Return the forms that are played, in their order."""
        if self.forms is None or self.forms >= len(forms):
            return list(forms)
        chosen = random.Random(self.seed).sample(range(len(forms)), self.forms)  # noqa: S311 - chosen, not secret
        return [forms[number] for number in sorted(chosen)]

    def of(self, stage: Stage) -> list[str]:
        """Return the stacks of the stage that take part, in order."""
        return [stack for stack in stage.stacks if not self.stacks or stack in self.stacks]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one thing that happened."""

    happened: str
    runs: int = 0
    """Deployments until everything was as configured again."""
    taken_over: int = 0
    """Resources that were made, not recorded, recognised and imported."""
    problem: str = ""
    """What is not as it should be afterwards; empty when everything survived."""
    lost: tuple[str, ...] = ()
    """Durable objects and secrets that are no longer the same."""
    lost_bytes: int = 0
    seconds: float = 0.0
    """What it and the way out took, with the comparison at the end."""

    @property
    def survived(self) -> bool:
        """Whether all is well."""
        return not self.problem and not self.lost


Play = Callable[[Stage, Size], Iterator[Finding]]
"""Lets something happen to an environment that stands, again and again where it has several forms."""


def one_after_the_other(
    *plays: Play,
) -> Play:
    """Return what plays all of them."""
    return lambda stage, size: chain.from_iterable(play(stage, size) for play in plays)


@dataclass(frozen=True, kw_only=True)
class Drill:
    """Something that happens to an environment, and the way out that the runbook has for it."""

    name: str
    happened: str
    """What happened, as the runbook has it."""
    typed: tuple[str, ...]
    """What the operator types."""
    seen: str
    """What the operator sees first, in words that can be searched for."""
    play: Play = field(repr=False)
    proven_by: tuple[str, ...] = ()
    """Tests that prove it on real parts, beside what is played here."""
