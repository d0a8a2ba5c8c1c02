"""Settings that cannot go back once they are deployed: can only grow, decided once, no way back, deletes when shorter.

A mark stands in the annotation of its setting, and `steps` reads them all. What a stack deployed is recorded
as its output `one_way` (`stacks.common.one_way_record`): values as text by dotted key, so that every checkout compares
its file with what is deployed, not with what was last written down in it.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

GIVEN = "*"
"""In `only_while`: any value but none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWay(ABC):
    """A mark on a setting."""

    stack: str
    """Stack whose state records the value: the one that holds what keeps it from going back."""
    why: str
    """Why it cannot, as the end of the sentence."""
    unless: str = ""
    """Key of a number. With another one something new takes the place of what is there, which the rule does not bind.
    """
    only_while: tuple[tuple[str, str], ...] = ()
    """Keys and the values that they have to have, before and after, for the rule to bind."""
    effect: str = ""
    """Stack that deploys the value, where another one records it: then both have to be deployed together."""
    agreeable: bool = False
    """Whether somebody may agree to it by name; not so where Azure or Kubernetes refuse it anyway."""
    default: str = ""
    """Value of an entry that a mapping does not have."""

    says: ClassVar[str]
    """What the reference says of a key with this mark."""

    @abstractmethod
    def problem(self, before: str, after: str) -> str:
        """Return what is wrong with `after` where `before` is deployed, empty when nothing is."""

    @property
    def context(self) -> tuple[str, ...]:
        """Keys that are recorded beside the value, because the rule looks at them."""
        return (*filter(None, [self.unless]), *(key for key, _ in self.only_while))


class CanOnlyGrow(OneWay):
    """A number that may become larger and never smaller."""

    __slots__ = ()
    says = "Can only grow."

    def problem(self, before: str, after: str) -> str:
        """Return what is wrong with a smaller number."""
        return f"cannot shrink from {before}: {self.why}; write {before}" if float(after) < float(before) else ""


class DecidedOnce(OneWay):
    """A value that stays as it was deployed first."""

    __slots__ = ()
    says = "Decided once."

    def problem(self, before: str, after: str) -> str:
        """Return what is wrong with any other value."""
        return f"cannot change from {before or 'nothing'}: {self.why}" if after != before else ""


class OnlyAtCreation(OneWay):
    """A value that counts when something is made: later it may be left out, and another one has no effect."""

    __slots__ = ()
    says = "Only at creation."

    def problem(self, before: str, after: str) -> str:
        """Return what is wrong with a value that would have no effect."""
        return f"has no effect any more: {self.why}" if after not in {"", before} else ""


class DeletesOlder(OneWay):
    """A time that something is kept for; with a shorter one, what is older is deleted. Left out, it is kept for ever.

    Somebody may mean it: a plan asks for consent by name, a file alone is only warned about.
    """

    __slots__ = ()
    says = "Deletes when shorter."

    def problem(self, before: str, after: str) -> str:
        """Return what a shorter time deletes."""
        if float(after or "inf") >= float(before or "inf"):
            return ""
        return f"is shortened from {before or 'for ever'} to {after} days: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWayBack(OneWay):
    """A value that goes forward only: a version, or one of `order`."""

    order: tuple[str, ...] = ()
    """Values from the first to the last, where they are no versions. `GIVEN` stands for every one but none."""
    says = "No way back."

    def problem(self, before: str, after: str) -> str:
        """Return what is wrong with an earlier value."""
        if self.order:
            back = self._rank(after) < self._rank(before)
        else:
            # 1.36 is every 1.36.x: what only one of the two names does not count.
            pairs = list(zip(version(before), version(after), strict=False))
            back = [new for _, new in pairs] < [old for old, _ in pairs]
        return f"cannot go back from {before or 'nothing'}: {self.why}" if back else ""

    def _rank(self, value: str) -> int:
        return self.order.index(value if value in self.order else GIVEN)


def version(text: str) -> tuple[int, ...]:
    """Return the numbers that a version consists of; what follows a dash, such as the hash of a build, is none."""
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("-")[0]))
