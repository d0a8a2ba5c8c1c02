"""PostgreSQL: the server, who administers it, and what it was restored from."""

from typing import Annotated, Literal

from pydantic import Field

from .one_way.marks import GIVEN, CanOnlyGrow, DecidedOnce, DeletesOlder, NoWayBack, OnlyAtCreation
from .types import Generation, Model, ObjectId, UtcTime, Zone, resource_id, text


class EntraAdministratorSettings(Model):
    """An Entra principal that may log in to PostgreSQL as administrator."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """Its name in Entra: user principal name, group name or application name; becomes the PostgreSQL role."""
    object_id: ObjectId
    """Its object id in Entra."""
    type: Literal["User", "Group", "ServicePrincipal"] = "Group"
    """What it is."""


_RESTORE = OnlyAtCreation(
    stack="database",
    why="the server exists; raise database.generation to restore into a new one",
    unless="database.generation",
)


class DatabaseSettings(Model):
    """PostgreSQL Flexible Server with pgvector."""

    version: Annotated[
        Literal["16", "17", "18"],
        NoWayBack(stack="database", why="PostgreSQL is only upgraded", unless="database.generation"),
    ] = "17"
    """Major version, in quotes; can be raised in place."""
    sku: Annotated[
        str,
        text(
            r"^(B|GP|MO)_Standard_[A-Za-z0-9_]+$",
            "a compute size with its tier prefix such as B_Standard_B2s or GP_Standard_D2ds_v5",
        ),
    ] = "B_Standard_B2s"
    """Compute size with its tier prefix, as Azure writes it."""
    storage_gib: Annotated[
        Literal[32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384],
        CanOnlyGrow(stack="database", why="storage only grows", unless="database.generation"),
    ] = 32
    """Storage."""
    storage_auto_grow: bool = True
    """Let Azure enlarge the storage before it is full; `storage_gib` is then only the size at creation."""
    zone: Annotated[
        Zone,
        DecidedOnce(
            stack="database",
            why="the server stays in its zone; restore to a new one to move it",
            unless="database.generation",
            only_while=(("database.high_availability", "off"), ("azure.zones", GIVEN)),
        ),
    ] = 1
    """Zone of the primary server; ignored in a region without zones."""
    high_availability: Literal["off", "same-zone", "zone-redundant"] = "off"
    """Standby server that takes over by itself."""
    standby_zone: Zone = 2
    """Zone of the standby server when `high_availability` is `zone-redundant`."""
    backup_retention_days: Annotated[
        int,
        Field(ge=7, le=35),
        DeletesOlder(
            stack="database",
            why="older backups of the server are deleted",
            unless="database.generation",
            agreeable=True,
        ),
    ] = 7
    """How far back the server can be restored to any point in time."""
    geo_redundant_backup: Annotated[
        bool,
        DecidedOnce(
            stack="database",
            why="Azure fixes it when the server is created; restore to a new one (database.generation) to change it",
            unless="database.generation",
        ),
    ] = False
    """Keep a copy of the backups in the paired region."""
    entra_administrators: tuple[EntraAdministratorSettings, ...] = ()
    """Entra principals that administer the server besides its password login; empty turns Entra login off."""
    generation: Annotated[
        Generation, NoWayBack(stack="database", why="the server of that number is not the environment's any more")
    ] = 1
    """Number of the server, part of its name; raised by one when a restore makes a new server."""
    restore_from_server_id: Annotated[
        Annotated[str, resource_id("Microsoft.DBforPostgreSQL/flexibleServers", "a PostgreSQL Flexible Server")] | None,
        _RESTORE,
    ] = None
    """Resource id of the server to restore from; makes a new server at `restore_time_utc`."""
    restore_time_utc: Annotated[UtcTime | None, _RESTORE] = None
    """Point in time to restore, such as `2026-11-01T12:00:00Z`."""
    restore_geo_redundant: Annotated[bool | None, _RESTORE] = None
    """Restore a server of another region from the backup that it has in this one (`geo_redundant_backup` there)."""
