"""Prices of a region: Azure's where its list can be asked, else those of the dated list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scripts.core.console import err
from scripts.core.errors import OperatorError

from .charges import Charge
from .prices import CACHE, Lookup, Prices, listed, prices_of
from .retail import retail_prices


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
