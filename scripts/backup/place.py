"""Where the parts of an environment's backup sets are, from the outputs of its durable stacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.common.azure_names import AzureNames
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from .versions import deployed


@dataclass(frozen=True, kw_only=True)
class DiskPlace:
    """A disk that is in use."""

    name: str
    id: str
    size_gib: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """One environment in Azure."""

    names: AzureNames
    region: str
    copy_to_region: str | None
    tags: Mapping[str, str]
    disks: Mapping[DataDisk, DiskPlace]
    disks_group: str
    sets_group: str
    """Resource group of the snapshots."""
    account: str
    """Storage account of the chat uploads."""
    share: str
    server: str
    """PostgreSQL."""
    database_group: str
    vault: str
    backup_vault_id: str
    """The vault of Azure Backup."""
    deployed: Mapping[str, str]
    """Deployed values that data depends on, as manifests have them."""

    @property
    def subscription(self) -> str:
        """Id of the subscription."""
        return self.names.subscription_id

    def snapshot(self, store: DataDisk, set_id: str) -> str:
        """Return the name of a disk's snapshot."""
        return f"{self.names.base}-{store}-{set_id}"


def place_of(settings: Settings, outputs: Mapping[str, Mapping[str, Any]]) -> Place:
    """Return the place that the outputs of `disks` and `database` name."""
    disks, database = outputs["disks"], outputs["database"]
    return Place(
        names=settings.azure_names,
        region=settings.azure.region,
        copy_to_region=settings.backups.copy_to_region,
        tags={**settings.tags, "platform": settings.prefix, "environment": settings.name},
        disks={
            disk: DiskPlace(
                name=disks[f"{disk}_disk_id"].rsplit("/", 1)[-1],
                id=disks[f"{disk}_disk_id"],
                size_gib=int(disks["sizes_gib"][disk.value]),
            )
            for disk in DataDisk
        },
        disks_group=disks["resource_group_name"],
        sets_group=disks["backup_sets_group_name"],
        account=disks["storage_account_name"],
        share=disks["chat_uploads_share_name"],
        server=database["server_name"],
        database_group=database["resource_group_name"],
        vault=database["vault_name"],
        backup_vault_id=disks["backup_vault_id"],
        deployed=deployed(outputs),
    )
