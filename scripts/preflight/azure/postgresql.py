"""Whether PostgreSQL can be made in the region as the file asks: offer, size, zone, standby, version, backups."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..findings import Finding, NotCheckedError
from ..surroundings import Surroundings

EDITIONS = {"B": "Burstable", "GP": "GeneralPurpose", "MO": "MemoryOptimized"}
_STANDBY = {"same-zone": "SameZone", "zone-redundant": "ZoneRedundant"}
_STOPS = "Azure refuses the server, after the vault and its secrets are made"


class ServerSku(Shape):
    """A size of servers."""

    name: str
    supported_zones: list[str] | None = None
    supported_ha_mode: list[str] | None = None


class Edition(Shape):
    """A tier with its sizes."""

    name: str
    supported_server_skus: list[ServerSku] | None = None


class Version(Shape):
    """A major version."""

    name: str


class Capability(Shape):
    """What the region offers to this subscription."""

    supported_server_editions: list[Edition] | None = None
    supported_server_versions: list[Version] | None = None
    geo_backup_supported: str = ""
    restricted: str = ""
    reason: str | None = None


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what the region does not offer. Raises AnswerError, NotCheckedError."""
    found = asked.azure.ask_all(operations.POSTGRESQL_CAPABILITIES, Capability, region=asked.region)
    if not found:
        raise NotCheckedError(f"Azure says nothing about PostgreSQL in {asked.region}")
    offer, database = found[0], asked.settings.database
    if offer.restricted == "Enabled":
        yield Finding(
            f"this subscription may not make PostgreSQL servers in {asked.region}"
            + (f" ({offer.reason})" if offer.reason else ""),
            _STOPS,
            "ask for it: https://aka.ms/postgres-request-quota-increase, or choose another region",
        )
        return
    yield from _size(asked, offer)
    versions = [one.name for one in offer.supported_server_versions or ()]
    if versions and database.version not in versions:
        yield Finding(
            f"database.version: PostgreSQL {database.version} is not offered in {asked.region}",
            _STOPS,
            f"write one of {', '.join(versions)}",
        )
    if database.geo_redundant_backup and offer.geo_backup_supported == "Disabled":
        yield Finding(
            f"database.geo_redundant_backup: {asked.region} does not offer it",
            _STOPS,
            "write database.geo_redundant_backup: false, or choose another region",
        )


def _size(asked: Surroundings, offer: Capability) -> Iterator[Finding]:
    settings, database = asked.settings, asked.settings.database
    tier, _, size = database.sku.partition("_")
    edition = next((one for one in offer.supported_server_editions or () if one.name == EDITIONS.get(tier)), None)
    sizes = {one.name: one for one in (edition.supported_server_skus or () if edition else ())}
    sku = next((one for name, one in sizes.items() if name.lower() == size.lower()), None)
    if sku is None:
        yield Finding(
            f"database.sku: {database.sku} is not offered in {asked.region}",
            _STOPS,
            f"write one of {', '.join(f'{tier}_{name}' for name in sizes) or 'another tier'}",
        )
        return
    # A region without zones answers none, or one called "none".
    zones = [int(zone) for zone in sku.supported_zones or () if zone.isdigit()]
    wanted = {"database.zone": database.zone}
    if database.high_availability == "zone-redundant":
        wanted["database.standby_zone"] = database.standby_zone
    for key, zone in wanted.items() if settings.azure.zones and zones else ():
        if zone not in zones:
            yield Finding(
                f"{key}: {database.sku} is not offered in zone {zone} of {asked.region}",
                _STOPS,
                f"write one of {zones}",
            )
    mode = _STANDBY.get(database.high_availability)
    if mode and sku.supported_ha_mode is not None and mode not in sku.supported_ha_mode:
        offered = [key for key, value in _STANDBY.items() if value in sku.supported_ha_mode]
        yield Finding(
            f"database.high_availability: {database.sku} has no {database.high_availability} standby in {asked.region}",
            _STOPS,
            f"write one of {', '.join(['off', *offered])}",
        )
