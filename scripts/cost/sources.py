"""Prices of a region: Azure's where its list can be asked, else those of the dated list."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from scripts.core.console import err
from scripts.core.errors import OperatorError

from .charges import Charge
from .meters import Meter
from .prices import CACHE, Lookup, Prices, kept_prices, listed, prices_of
from .retail import retail_prices

SWITCH, OFFLINE = "LLMCTL_PRICES", "offline"
"""Variable by which people forbid that Azure's price list is asked in passing, and its value."""
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Sources:
    """Where prices come from; tests hand over another one as `obj`."""

    ask: Lookup = retail_prices
    now: datetime | None = None
    folder: Path = CACHE

    def prices(self, region: str, charges: Iterable[Charge], *, offline: bool) -> Prices:
        """Return the prices of a region for what is charged; those of the dated list where Azure cannot be asked."""
        if offline:
            return listed()
        needed = [charge.meter for charge in charges if charge.meter]
        try:
            return prices_of(region, needed, self.ask, now=self.now or datetime.now(UTC), folder=self.folder)
        except OperatorError as error:
            err.print(f"{error.message}; the dated list is taken instead.", markup=False)
            return listed()


def prices_in_passing(region: str, charges: Iterable[Charge]) -> Prices:
    """Return the prices of a region for commands that show them beside something else.

    Azure is asked once a week, for some seconds at most; the dated list where it does not answer or may not be asked.
    """
    if os.environ.get(SWITCH) == OFFLINE:
        return kept_prices(region)
    return Sources(ask=_impatiently).prices(region, charges, offline=False)


def _impatiently(region: str, meters: Iterable[Meter]) -> Mapping[str, float]:
    with httpx.Client(timeout=_PATIENCE_S) as client:
        return retail_prices(region, meters, client=client)
