"""PostgreSQL: size, connections, availability, restore."""

from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches

from stacks.common.azure_names import AzureNames

from ..azure import AzureSettings
from ..azure_catalog import regions
from ..azure_catalog.sizes import POSTGRESQL_SIZES, postgresql_user_connections
from ..chat import ChatSettings
from ..database import DatabaseSettings
from ..file.errors import Key
from ..llm_gateway import GatewayServiceSettings
from .base import Finding

OTHER_CONNECTIONS = 10
"""Kept free for people, migrations and preparation jobs."""
POOLS_OF_CHAT = 2
"""Open WebUI keeps one pool for its data and one for pgvector."""
SYNCHRONOUS_OF_CHAT = 1
"""And a synchronous engine for start and health checks, which ask one after the other (open_webui/internal/db.py)."""


def size_is_known(database: DatabaseSettings) -> Iterator[Finding]:
    """The compute size exists, so that its connections are known."""
    sku = database.sku
    if postgresql_user_connections(sku) is None:
        near = get_close_matches(sku, POSTGRESQL_SIZES, n=3, cutoff=0.3)
        yield Finding(
            ("database", "sku"), f"is no known size of PostgreSQL Flexible Server; near it: {', '.join(near)}"
        )


def connections_of_a_chat_pod(chat: ChatSettings) -> int:
    """Most connections that one pod of the chat opens."""
    return POOLS_OF_CHAT * (chat.database_pool_size + chat.database_pool_overflow) + SYNCHRONOUS_OF_CHAT


def connections_fit(
    database: DatabaseSettings, chat: ChatSettings, gateway: GatewayServiceSettings
) -> Iterator[Finding]:
    """What chat and LLM gateway may open at full scale fits into the server's connections for users."""
    available = postgresql_user_connections(database.sku)
    if available is None:
        return
    terms, needed = [f"{OTHER_CONNECTIONS} for jobs"], OTHER_CONNECTIONS
    if chat.enabled:
        needed += chat.max_replicas * connections_of_a_chat_pod(chat)
        terms.append(
            f"chat {chat.max_replicas} replicas x ({POOLS_OF_CHAT} pools x"
            f" ({chat.database_pool_size} + {chat.database_pool_overflow}) + {SYNCHRONOUS_OF_CHAT})"
        )
    if gateway.enabled:
        needed += gateway.max_replicas * gateway.database_pool_size
        terms.append(f"gateway {gateway.max_replicas} replicas x {gateway.database_pool_size}")
    if needed > available:
        yield Finding(
            ("database", "sku"),
            f"has {available} connections for users, but {' + '.join(terms)} = {needed}; take a larger size, or lower"
            " max_replicas or the pools of chat and gateway",
        )


def availability_suits_tier_and_zones(database: DatabaseSettings, azure: AzureSettings) -> Iterator[Finding]:
    """A standby needs a tier that has one, and another zone when it is to survive the loss of one."""
    zones = azure.zones
    mode = database.high_availability
    key: Key = ("database", "high_availability")
    if mode != "off" and database.sku.startswith("B_"):
        yield Finding(key, "is not sold with burstable sizes; take a GP_ or MO_ size in database.sku, or off")
    if zones and database.zone not in zones:
        yield Finding(("database", "zone"), f"must be one of azure.zones {list(zones)}")
    if mode != "zone-redundant":
        return
    if not zones:
        yield Finding(key, "needs a region with zones; take same-zone or off")
    elif database.standby_zone == database.zone:
        yield Finding(("database", "standby_zone"), f"must differ from database.zone ({database.zone})")
    elif database.standby_zone not in zones:
        yield Finding(("database", "standby_zone"), f"must be one of azure.zones {list(zones)}")


def geo_redundant_backup_has_a_pair(azure: AzureSettings, database: DatabaseSettings) -> Iterator[Finding]:
    """Geo-redundant backups go to the paired region, which not every region has."""
    region = azure.region
    if database.geo_redundant_backup and region in regions.WITH_ZONES_WITHOUT_PAIR:
        yield Finding(("database", "geo_redundant_backup"), f"needs a paired region, which {region} has not; set false")


def entra_administrators_are_named_once(database: DatabaseSettings) -> Iterator[Finding]:
    """Each principal is an administrator once."""
    seen: set[str] = set()
    for index, administrator in enumerate(database.entra_administrators):
        if administrator.object_id in seen:
            yield Finding(("database", "entra_administrators", index, "object_id"), "stands twice; remove one")
        seen.add(administrator.object_id)


def restore_is_complete(database: DatabaseSettings, prefix: str, name: str, azure: AzureSettings) -> Iterator[Finding]:
    """A restore names server and time, and makes a server of another name."""
    source, moment = database.restore_from_server_id, database.restore_time_utc
    if (source is None) != (moment is None):
        missing = "restore_time_utc" if source else "restore_from_server_id"
        given = "restore_from_server_id" if source else "restore_time_utc"
        yield Finding(("database", missing), f"is required beside database.{given}; a restore needs both")
    if moment:
        try:
            datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            yield Finding(("database", "restore_time_utc"), "is no date of the calendar")
    names = AzureNames(prefix=prefix, environment=name, subscription_id=azure.subscription_id)
    if source and source.rsplit("/", 1)[1].lower() == names.postgresql_server(database.generation):
        yield Finding(
            ("database", "generation"),
            "gives the new server the name of the one it is restored from; raise it by one",
        )


RULES = (
    size_is_known,
    connections_fit,
    availability_suits_tier_and_zones,
    geo_redundant_backup_has_a_pair,
    entra_administrators_are_named_once,
    restore_is_complete,
)
