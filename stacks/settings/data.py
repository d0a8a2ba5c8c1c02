"""Everything that holds data: disks, file share, backup sets, registry, vault."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .one_way.marks import GIVEN, CanOnlyGrow, DecidedOnce, DeletesOlder, NoWayBack
from .types import Cidr, Generation, Model, ObjectId, Region, TimeOfDay, Unique, Zone

DiskSizeGib = Annotated[int, Field(ge=4, le=32767)]


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
    backup_retention_days: Annotated[
        int,
        Field(ge=1, le=360),
        DeletesOlder(stack="disks", why="older daily backups of the disks are deleted", agreeable=True),
    ] = 14
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
    pipeline_object_id: ObjectId | None = None
    """Object id of the identity that makes the scheduled sets, which `llmctl pipeline bootstrap` creates: the stack
    `aks` gives it its role on the cluster, and again on each new one."""
    public_access: bool = True
    """Whether operators and pipelines reach the manifests over the internet, from `operators.ip_ranges` where there are
    any; `false` leaves a private endpoint alone, and backups are made and restored inside the network."""
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
    untagged_retention_days: Annotated[
        int,
        Field(ge=0, le=365),
        DeletesOlder(
            stack="acr",
            why="untagged images that are older are deleted",
            only_while=(("registry.tier", "Premium"),),
            agreeable=True,
        ),
    ] = 30
    """How long untagged images are kept (Premium)."""
    quarantine: bool = False
    """Keep pushed images in quarantine until a scanner releases them (Premium)."""
    geo_replicas: Annotated[tuple[Region, ...], Unique] = ()
    """Further regions that hold a copy (Premium)."""


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
