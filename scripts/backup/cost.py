"""What a backup set costs a month, at most: the snapshots of its disks and their copies, in full.

Azure bills a snapshot for what is used of its disk, a later one of the same disk for what has changed since
(https://learn.microsoft.com/azure/virtual-machines/disks-incremental-snapshots), and tells neither size. Restoring
PostgreSQL costs nothing extra while its backups are no larger than its storage; share snapshots have no price here.
"""

from collections.abc import Callable, Iterable

from scripts.cost.amount import Cost
from scripts.cost.charges import Charge
from scripts.cost.meters import DISK_SNAPSHOT
from scripts.cost.prices import Prices

from .manifest import Manifest

SNAPSHOTS = Charge("snapshots of disks, by GiB", DISK_SNAPSHOT)
"""What a region's prices have to be known for."""

PricesOf = Callable[[str], Prices]
"""Gives the prices of a region."""


def most(one: Manifest, prices: PricesOf) -> Cost:
    """Return the most that a set costs; unknown where a region has no price."""
    found = _snapshots(one.region, one.size_gib, prices)
    for snapshot in one.snapshots:
        if snapshot.copy_region:
            found += _snapshots(snapshot.copy_region, snapshot.size_gib, prices)
    return found


def together(sets: Iterable[Manifest], prices: PricesOf) -> Cost:
    """Return the most that sets cost together."""
    return sum((most(one, prices) for one in sets), Cost())


def in_words(cost: Cost) -> str:
    """Return a cost for people."""
    return f"at most {cost.high:,.2f} USD a month" if cost.known else "no price"


def _snapshots(region: str, size_gib: int, prices: PricesOf) -> Cost:
    each = prices(region).cost(SNAPSHOTS)
    return Cost(0, each.high * size_gib, each.known)
