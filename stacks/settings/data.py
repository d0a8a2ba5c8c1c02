"""Everything that holds data: disks, file share, registry, database, vault."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .one_way import GIVEN, CanOnlyGrow, DecidedOnce, NoWayBack, OnlyAtCreation
from .types import Cidr, Model, ObjectId, Region, TimeOfDay, Unique, UtcTime, Zone, resource_id, text

DiskSizeGib = Annotated[int, Field(ge=4, le=32767)]


Generation = Annotated[int, Field(ge=1, le=99)]


class DataDisk(StrEnum):
    """The disks that outlive the cluster, by the store that they hold."""

    MYSQL = "mysql"
    CLICKHOUSE = "clickhouse"
    ZOOKEEPER = "zookeeper"
    MINIO = "minio"
    REDIS = "redis"


def _disk(disk: DataDisk) -> CanOnlyGrow:
    return CanOnlyGrow(stack="disks", why="disks only grow", unless=f"disks.generations.{disk.value}")


class DiskSettings(Model):
    """Sizes of the disks that outlive the cluster, their redundancy and their backups."""

    redundancy: Annotated[
        Literal["zrs", "lrs"],
        DecidedOnce(stack="disks", why="Azure does not convert disks that exist; restore them into a new environment"),
    ] = "zrs"
    """`zrs` disks attach in every zone; an `lrs` disk is bound to the zone named by `lrs_zone`."""
    tier: Literal["Premium", "StandardSSD"] = "Premium"
    """Disk type: `Premium` SSD for production, `StandardSSD` where cost counts more than speed."""
    lrs_zone: Annotated[
        Zone | None,
        DecidedOnce(
            stack="disks",
            why="disks do not move between zones; restore them from backups with a new generation",
            only_while=(("disks.redundancy", "lrs"),),
        ),
    ] = None
    """Required with `lrs` in a region with zones."""
    mysql_gib: Annotated[DiskSizeGib, _disk(DataDisk.MYSQL)] = 32
    """Disk of MySQL (Opik's projects and settings)."""
    clickhouse_gib: Annotated[DiskSizeGib, _disk(DataDisk.CLICKHOUSE)] = 128
    """Disk of ClickHouse (traces)."""
    zookeeper_gib: Annotated[DiskSizeGib, _disk(DataDisk.ZOOKEEPER)] = 16
    """Disk of ZooKeeper."""
    minio_gib: Annotated[DiskSizeGib, _disk(DataDisk.MINIO)] = 64
    """Disk of MinIO (attachments)."""
    redis_gib: Annotated[DiskSizeGib, _disk(DataDisk.REDIS)] = 16
    """Disk of Redis."""
    chat_uploads_gib: Annotated[
        int, Field(ge=32, le=102400), CanOnlyGrow(stack="disks", why="file shares only grow")
    ] = 100
    """Size of the file share for chat uploads."""
    chat_uploads_encrypted_mount: bool = True
    """Accept only mounts of the file share that are encrypted in transit."""
    generations: Annotated[
        dict[DataDisk, Generation],
        NoWayBack(stack="disks", why="the disk of that number is not the environment's any more", default="1"),
    ] = {}
    """Disk to its number, raised by one when a disk restored from a backup takes its place; 1 when left out."""
    backup_retention_days: Annotated[int, Field(ge=1, le=360)] = 14
    """How long the daily backups of the disks are kept."""
    backup_time: TimeOfDay = "03:00"
    """Time of the daily backup, UTC."""

    def size_gib(self, disk: DataDisk) -> int:
        """Size of one disk."""
        sizes = {
            DataDisk.MYSQL: self.mysql_gib,
            DataDisk.CLICKHOUSE: self.clickhouse_gib,
            DataDisk.ZOOKEEPER: self.zookeeper_gib,
            DataDisk.MINIO: self.minio_gib,
            DataDisk.REDIS: self.redis_gib,
        }
        return sizes[disk]


class BackupSettings(Model):
    """Backup sets, which `llmctl backup create` makes: one consistent state of disks, database, uploads and secrets."""

    scheduled: bool = False
    """Whether a pipeline makes a set each day; alerts when the newest is older than 36 hours or there is none."""
    copy_to_region: Region | None = None
    """Region that gets a copy of every snapshot of a disk; left out, none does."""
    keep_daily: Annotated[int, Field(ge=1, le=60)] = 7
    """`llmctl backup prune` keeps the newest set of this many days."""
    keep_weekly: Annotated[int, Field(ge=0, le=52)] = 4
    """And the newest set of this many weeks."""
    keep_monthly: Annotated[int, Field(ge=0, le=36)] = 6
    """And the newest set of this many months."""


class RegistrySettings(Model):
    """The container registry."""

    tier: Annotated[
        Literal["Basic", "Premium"],
        NoWayBack(
            stack="acr",
            why="the registry stays zone-redundant, which the provider takes for Premium alone; write Premium",
            order=("Basic", "Premium"),
            only_while=(("azure.zones", GIVEN),),
        ),
    ] = "Basic"
    """`Premium` adds private endpoint, retention of untagged images, quarantine and zone redundancy."""
    public_access: bool = True
    """Whether images can be pushed and pulled over the internet; `false` needs tier Premium."""
    untagged_retention_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How long untagged images are kept (Premium)."""
    quarantine: bool = False
    """Keep pushed images in quarantine until a scanner releases them (Premium)."""
    geo_replicas: Annotated[tuple[Region, ...], Unique] = ()
    """Further regions that hold a copy (Premium)."""


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
    backup_retention_days: Annotated[int, Field(ge=7, le=35)] = 7
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


class VaultSettings(Model):
    """The Key Vault that holds every generated secret."""

    public_access: bool = True
    """Whether operators and remote runs reach the vault over the internet, from their ranges only."""
    soft_delete_days: Annotated[
        int, Field(ge=7, le=90), DecidedOnce(stack="database", why="Azure fixes it when the vault is created")
    ] = 90
    """How long a deleted vault or secret can be recovered."""
    extra_allowed_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Ranges that may reach the vault besides the operators' ones, such as those of a build agent."""
