"""What a rule is: a function that looks at sections of the settings and names what cannot work together."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ..environment import Settings
from ..file.errors import Key


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that breaks a rule across fields."""

    key: Key
    """The key to change."""
    message: str
    """What is wrong and what to write instead."""
    shows_value: bool = True
    """Whether the value may be repeated; not so where it may be a secret."""


Rule = Callable[..., Iterator[Finding]]
"""Yields what breaks the rule; nothing when all is well. Pure: it reads its arguments and nothing else.

Its parameters are sections of `Settings` by name, with their types; `settings` stands for all of them.
"""


def sections(settings: Settings) -> dict[str, object]:
    """Return what rules may name, where all of it is sound."""
    return {name: getattr(settings, name) for name in Settings.model_fields} | {"settings": settings}


def apply(rule: Rule, sound: Mapping[str, object]) -> Iterator[Finding]:
    """Yield what breaks `rule`, which is left out while a section that it names is missing from `sound`."""
    names = _named(rule)
    if sound.keys() >= set(names):
        yield from rule(**{name: sound[name] for name in names})


@cache
def _named(rule: Rule) -> tuple[str, ...]:
    return tuple(inspect.signature(rule).parameters)
