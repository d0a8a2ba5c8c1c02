"""What a rule is: a function that looks at settings and names what cannot work together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..environment import Settings
from ..errors import Key


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that breaks a rule across fields."""

    key: Key
    """The key to change."""
    message: str
    """What is wrong and what to write instead."""


Rule = Callable[[Settings], Iterator[Finding]]
"""Yields what breaks the rule; nothing when all is well. Pure: it reads the settings and nothing else."""
