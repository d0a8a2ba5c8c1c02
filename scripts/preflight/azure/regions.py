"""Whether the subscription may use the regions that the file names."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..findings import Finding
from ..surroundings import Surroundings


class Zone(Shape):
    """A logical zone of a region."""

    logical_zone: str = ""


class Location(Shape):
    """A region."""

    name: str
    availability_zone_mappings: list[Zone] | None = None


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each region, and for zones, that the subscription does not have. Raises AnswerError."""
    known = {one.name: one for one in asked.azure.ask_all(operations.LOCATIONS, Location)}
    for key, region in _named(asked):
        if region not in known:
            yield Finding(
                f"{key}: this subscription does not have the region {region}",
                "Azure refuses every resource in it (LocationNotAvailableForSubscription)",
                "az account list-locations --query [].name --output tsv; some regions are opened on request",
            )
    zones, here = asked.settings.azure.zones, known.get(asked.region)
    mapped = here.availability_zone_mappings if here else None
    # Older answers have no mapping at all; nothing is known then.
    if here and mapped is not None:
        missing = sorted(set(map(str, zones)) - {zone.logical_zone for zone in mapped})
        if missing:
            there = sorted(int(zone.logical_zone) for zone in mapped)
            yield Finding(
                f"azure.zones: {asked.region} has no zone {', '.join(missing)} for this subscription",
                "addresses, disks and node pools in it are refused",
                f"write azure.zones: {there}",
            )


def _named(asked: Surroundings) -> Iterator[tuple[str, str]]:
    settings = asked.settings
    yield "azure.region", settings.azure.region
    if "acr" in asked.stacks:
        for region in settings.registry.geo_replicas:
            yield "registry.geo_replicas", region
    if "disks" in asked.stacks and settings.backups.copy_to_region:
        yield "backups.copy_to_region", settings.backups.copy_to_region
