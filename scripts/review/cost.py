"""What a change adds to the monthly bill, at some prices; what has no price there is said to have none."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.cost.amount import Cost
from scripts.cost.charges import Charge, charges_of
from scripts.cost.prices import Prices, listed


@dataclass(frozen=True)
class Billed:
    """What Azure bills after a change and did not before, and the other way round."""

    added: tuple[Charge, ...] = ()
    removed: tuple[Charge, ...] = ()

    def cost(self, prices: Prices) -> Cost:
        """Return what it adds to the bill; unknown where one of them has no price."""
        added = sum((prices.cost(charge) for charge in self.added), Cost())
        return added - sum((prices.cost(charge) for charge in self.removed), Cost())


def billed_of(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Billed | None:
    """Return what changes of the bill; None when nothing does. Either side is empty where the resource is not there."""
    old: Counter[Charge] = Counter(charges_of(type_, before) if before else ())
    new: Counter[Charge] = Counter(charges_of(type_, after) if after else ())
    if old == new:
        return None
    return Billed(tuple((new - old).elements()), tuple((old - new).elements()))


def cost_of(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Cost | None:
    """Return what a change adds at the prices of the dated list; None when nothing that is billed changes."""
    billed = billed_of(type_, before, after)
    return None if billed is None else billed.cost(listed())
