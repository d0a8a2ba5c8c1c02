"""Everything that holds data: disks, file share, registry, database, vault."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .types import Cidr, Model

UtcTime = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
DiskSizeGib = Annotated[int, Field(ge=4, le=32767)]


class DiskSettings(Model):
    """Sizes of the disks that outlive the cluster, their redundancy and their backups."""

    redundancy: Literal["zrs", "lrs"] = "zrs"
    """`zrs` disks attach in every zone; an `lrs` disk is bound to the zone named by `lrs_zone`."""
    tier: Literal["Premium", "StandardSSD"] = "Premium"
    lrs_zone: Annotated[int, Field(ge=1, le=3)] | None = None
    """Required with `lrs` in a region with zones."""
    mysql_gib: DiskSizeGib = 32
    clickhouse_gib: DiskSizeGib = 128
    zookeeper_gib: DiskSizeGib = 16
    minio_gib: DiskSizeGib = 64
    redis_gib: DiskSizeGib = 16
    chat_uploads_gib: Annotated[int, Field(ge=32, le=102400)] = 100
    """Size of the file share for chat uploads."""
    backup_retention_days: Annotated[int, Field(ge=1, le=360)] = 14
    """How long the daily backups of the disks are kept."""
    backup_time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:00"
    """Time of the daily backup, UTC."""


class RegistrySettings(Model):
    """The container registry."""

    tier: Literal["Basic", "Premium"] = "Basic"
    """`Premium` adds private endpoint, retention of untagged images, quarantine and zone redundancy."""
    public_access: bool = True
    """Whether images can be pushed and pulled over the internet; `false` needs tier Premium."""
    untagged_retention_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How long untagged images are kept (Premium)."""
    quarantine: bool = False
    """Keep pushed images in quarantine until a scanner releases them (Premium)."""
    geo_replicas: tuple[str, ...] = ()
    """Further regions that hold a copy (Premium)."""


class DatabaseSettings(Model):
    """PostgreSQL Flexible Server with pgvector."""

    version: Literal["16", "17", "18"] = "17"
    sku: Annotated[str, StringConstraints(pattern=r"^(B|GP|MO)_Standard_[A-Za-z0-9_]+$")] = "B_Standard_B2s"
    """Compute size with its tier prefix, as Azure writes it."""
    storage_gib: Literal[32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384] = 32
    zone: Annotated[int, Field(ge=1, le=3)] = 1
    """Zone of the primary server; ignored in a region without zones."""
    high_availability: Literal["off", "same-zone", "zone-redundant"] = "off"
    standby_zone: Annotated[int, Field(ge=1, le=3)] = 2
    backup_retention_days: Annotated[int, Field(ge=7, le=35)] = 7
    geo_redundant_backup: bool = False
    """Decided once: Azure cannot change it on a server that exists."""
    restore_from_server_id: str | None = None
    """Resource id of the server to restore from; makes a new server at `restore_time_utc`."""
    restore_time_utc: (
        Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")] | None
    ) = None
    """Point in time to restore, such as `2026-11-01T12:00:00Z`."""


class VaultSettings(Model):
    """The Key Vault that holds every generated secret."""

    public_access: bool = True
    """Whether operators and remote runs reach the vault over the internet, from their ranges only."""
    soft_delete_days: Annotated[int, Field(ge=7, le=90)] = 90
    """How long a deleted vault or secret can be recovered; Azure fixes it at creation."""
    extra_allowed_ranges: tuple[Cidr, ...] = ()
    """Ranges that may reach the vault besides the operators' ones, such as those of a build agent."""
