"""Whether the region has the disks and the file shares of the data, as redundant as the file asks."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..findings import Finding
from ..surroundings import Surroundings
from .skus import Restriction, skus

_STOPS = "Azure refuses what would hold the data, and the stack disks stops"


class StorageSku(Shape):
    """A kind of storage accounts."""

    name: str
    kind: str = ""
    locations: list[str] | None = None
    restrictions: list[Restriction] | None = None


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what the region does not have. Raises AnswerError."""
    disks = asked.settings.disks
    redundancy = disks.redundancy.upper()
    fix = "choose a region with zone-redundant storage, or write disks.redundancy: lrs and disks.lrs_zone"
    wanted = f"{disks.tier}_{redundancy}"
    offered = skus(asked, "disks")
    if wanted not in offered or offered[wanted].refused:
        yield Finding(f"disks.redundancy: {asked.region} has no disks of the kind {wanted}", _STOPS, fix)
    accounts = asked.azure.ask_all(operations.STORAGE_SKUS, StorageSku)
    here = {
        (one.kind, one.name)
        for one in accounts
        if asked.region in [place.lower() for place in one.locations or ()] and not one.restrictions
    }
    for kind, name, what in (
        ("FileStorage", f"Premium_{redundancy}", "premium file shares"),
        ("StorageV2", f"Standard_{redundancy}", "storage accounts"),
    ):
        if (kind, name) not in here:
            yield Finding(f"disks.redundancy: {asked.region} has no {what} of the kind {name}", _STOPS, fix)
