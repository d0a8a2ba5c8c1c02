"""What a change adds to the monthly bill, by the dated list of prices; what has no price there is said to have none."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scripts.cost.amount import Cost
from scripts.cost.charges import Charge, charges_of
from scripts.cost.prices import listed


def cost_of(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Cost | None:
    """Return what a change adds to the bill; None when nothing that is billed changes.

    Either side is empty where the resource does not exist.
    """
    old: Counter[Charge] = Counter(charges_of(type_, before) if before else ())
    new: Counter[Charge] = Counter(charges_of(type_, after) if after else ())
    if old == new:
        return None
    prices = listed()
    added = sum((prices.cost(charge) for charge in (new - old).elements()), Cost())
    return added - sum((prices.cost(charge) for charge in (old - new).elements()), Cost())
