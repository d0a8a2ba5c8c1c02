"""Where prices come from: Azure's list for a region, kept for a week, or the dated list of this folder."""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.core.workspace import user_cache
from stacks.settings.azure_catalog.sizes import parse_vm_size

from .amount import HOURS, UNKNOWN, Cost
from .charges import Charge
from .meters import Meter

LISTED_REGION = "eastus"
KEPT = timedelta(days=7)
CACHE = user_cache() / "prices"

_LIST = Path(__file__).with_name("prices.yaml")
_ASSUMPTIONS = Path(__file__).parents[1] / "lab" / "simulation" / "assumptions.yaml"

Lookup = Callable[[str, Iterable[Meter]], Mapping[str, float]]
"""Asks Azure for a region's prices a month, by the meters' names; those that it has not are missing."""


@dataclass(frozen=True)
class Prices:
    """Prices a month by a meter's name, with where they are from."""

    region: str
    day: date
    source: str
    monthly: Mapping[str, float]
    estimated: Callable[[Meter], float | None] = lambda _meter: None
    """Gives the price of a meter that is not in the table by a rule of the same source."""

    def cost(self, charge: Charge) -> Cost:
        """Return what a charge costs; unknown where there is no price."""
        if charge.meter is None:
            return UNKNOWN
        price = self.monthly.get(charge.meter.name)
        if price is None:
            price = self.estimated(charge.meter)
        return UNKNOWN if price is None else Cost(price * charge.low, price * charge.high)

    def __str__(self) -> str:
        return f"{self.source}, {self.region}, {self.day:%Y-%m-%d}"


@cache
def listed() -> Prices:
    """Return the prices of the dated list, which needs no network and is East US's."""
    table: dict[str, Any] = YAML(typ="safe").load(_LIST.read_text("utf-8"))
    assumed = YAML(typ="safe").load(_ASSUMPTIONS.read_text("utf-8"))["price"]
    gpu: Mapping[str, float] = assumed["usd_per_hour"]["value"]
    spot: float = assumed["spot_share"]["value"]

    def estimated(meter: Meter) -> float | None:
        kind, _, rest = meter.name.partition(" ")
        size, _, kind_of_price = rest.partition(" ")
        if kind == "vm":
            hourly = gpu.get(size)
            monthly = hourly * HOURS if hourly is not None else _by_processors(size, table["vcpu"])
            return monthly and monthly * (spot if kind_of_price == "spot" else 1)
        if kind == "disk":
            classes = table["premium_disk"] if size.startswith("P") else table["standard_ssd_disk"]
            lrs: float | None = classes.get(size)
            return lrs and lrs * (table["zrs_factor"] if kind_of_price == "ZRS" else 1)
        return None

    day: date = table["date"]
    return Prices(LISTED_REGION, day, "list prices of this release", table["monthly"], estimated)


def _by_processors(size: str, series: Mapping[str, float]) -> float | None:
    parsed = parse_vm_size(size)
    match = re.fullmatch(r"Standard_([A-Z]+)\d+([a-z]*)_(v\d)", size)
    if parsed is None or match is None:
        return None
    each = series.get(f"{match[1]}{match[2]}_{match[3]}")
    return each and each * parsed.vcpus


def prices_of(region: str, needed: Iterable[Meter], ask: Lookup, *, now: datetime, folder: Path = CACHE) -> Prices:
    """Return Azure's prices for a region: those kept for less than a week, what they lack asked for and kept too.

    Raises what `ask` raises when the network is needed and not there.
    """
    meters = {meter.name: meter for meter in needed}
    kept = _kept(region, now, folder)
    have = dict(kept.monthly) if kept else {}
    if missing := [meter for name, meter in meters.items() if name not in have]:
        have |= {meter.name: None for meter in missing} | dict(ask(region, missing))
        _keep(folder / f"{region}.json", have, kept.day if kept else now.date())
    known = {name: price for name, price in have.items() if price is not None}
    return Prices(region, kept.day if kept else now.date(), "Azure's price list", known)


def kept_prices(region: str, *, now: datetime | None = None, folder: Path = CACHE) -> Prices:
    """Return the region's prices of the last week without asking anybody, else those of the dated list."""
    kept = _kept(region, now or datetime.now(UTC), folder)
    if kept is None:
        return listed()
    known = {name: price for name, price in kept.monthly.items() if price is not None}
    return Prices(region, kept.day, "Azure's price list", known)


@dataclass(frozen=True)
class _Kept:
    day: date
    monthly: Mapping[str, float | None]
    """None for what Azure has no price for."""


def _kept(region: str, now: datetime, folder: Path) -> _Kept | None:
    try:
        content = json.loads((folder / f"{region}.json").read_bytes())
        day = date.fromisoformat(content["day"])
        monthly = {str(name): None if price is None else float(price) for name, price in content["monthly"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return _Kept(day, monthly) if now.date() - day < KEPT else None


def _keep(path: Path, monthly: Mapping[str, float | None], day: date) -> None:
    """Write a table at once; two commands that write the same one leave a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump({"day": day.isoformat(), "monthly": dict(sorted(monthly.items()))}, file, indent=1)
    Path(file.name).replace(path)
