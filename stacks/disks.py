"""The data disks, their backups, where backup sets are kept, and the file share for chat uploads."""

from collections.abc import Iterable
from ipaddress import IPv4Network

from cdktf_cdktf_provider_azurerm.storage_share import StorageShare
from constructs import Construct

from constructs.backup_store import BackupStore
from constructs.deny_delete_policy import DenyDeletePolicy
from constructs.disk_backup import DiskBackup
from constructs.model_store import ModelStore
from constructs.nfs_storage_account import NfsStorageAccount
from constructs.resource_group import ResourceGroup
from constructs.retained_disk import RetainedDisk

from .common import wiring
from .common.base import EnvironmentStack, Tier
from .common.outputs import DisksOutputs
from .settings import Settings
from .settings.data import DataDisk

CHAT_UPLOADS = "chat-uploads"
OLLAMA_MODELS = "ollama-models"
VLLM_MODELS = "vllm-models"
BACKUP_MANIFESTS = "backup-sets"
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""https://www.rfc-editor.org/rfc/rfc1918"""


class DisksStack(EnvironmentStack):
    """Owns the data disks, their backups, the file share for chat uploads, and the store of weights. Needs nothing.

    Publishes their ids. Weights alone are not protected: they are no data. Snapshots lie in a resource group of their
    own, because the role that lets the Backup vault make them also gives it the keys of every storage account beside
    them.
    """

    stack_name = "disks"
    tier = Tier.DURABLE

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, settings)
        disks = {disk: self._disk(disk) for disk in DataDisk}
        backup = DiskBackup(
            self,
            "backup",
            name=self.names.resource("backup"),
            disks={disk.value: retained for disk, retained in disks.items()},
            disks_group=self.resource_group,
            snapshots_group=ResourceGroup(
                self,
                "snapshots-group",
                name=self.names.resource_group("disks-snapshots"),
                location=settings.azure.region,
                tags=self.tags,
                lifecycle=self.protected,
            ),
            zone_redundant=settings.disks.redundancy == "zrs",
            time_utc=settings.disks.backup_time,
            retention_days=settings.disks.backup_retention_days,
            tags=self.tags,
        )
        account = NfsStorageAccount(
            self,
            "chat-uploads-account",
            name=self.names.storage_account("fil"),
            group=self.resource_group,
            redundancy="ZRS" if settings.disks.redundancy == "zrs" else "LRS",
            encrypted=settings.disks.chat_uploads_encrypted_mount,
            deleted_shares_days=settings.disks.backup_retention_days,
            protected=True,
            tags=self.tags,
        )
        share = StorageShare(
            self,
            "chat-uploads-share",
            name=CHAT_UPLOADS,
            storage_account_id=account.id,
            enabled_protocol="NFS",
            quota=settings.disks.chat_uploads_gib,
            lifecycle=self.protected,
        )
        DenyDeletePolicy(
            self,
            "guard",
            name=self.names.resource("keep-uploads"),
            resource_group_id=self.resource_group.id,
            resource_types=["Microsoft.Storage/storageAccounts"],
            guarded=[account],
            reason="The storage account holds the files that chat users uploaded; see docs/data.md.",
        )
        sets_group = self._backup_sets_group()
        manifests = self._manifests(sets_group)
        store = self._model_store() if settings.has_model_store else None
        self.outputs = DisksOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            mysql_disk_id=disks[DataDisk.MYSQL].disk.id,
            clickhouse_disk_id=disks[DataDisk.CLICKHOUSE].disk.id,
            zookeeper_disk_id=disks[DataDisk.ZOOKEEPER].disk.id,
            minio_disk_id=disks[DataDisk.MINIO].disk.id,
            redis_disk_id=disks[DataDisk.REDIS].disk.id,
            storage_account_id=account.id,
            storage_account_name=account.name,
            chat_uploads_share_name=share.name,
            model_store_group_name=store.group.name if store else "",
            model_store_account_id=store.account.id if store else "",
            model_store_account_name=store.account.name if store else "",
            ollama_models_share_name=store.shares[OLLAMA_MODELS].name if store else "",
            vllm_models_share_name=store.shares[VLLM_MODELS].name if store else "",
            sizes_gib={disk.value: settings.disks.size_gib(disk) for disk in DataDisk}
            | {CHAT_UPLOADS: settings.disks.chat_uploads_gib},
            backup_vault_id=backup.vault.id,
            backup_sets_group_name=sets_group.name,
            backup_sets_account_id=manifests.account.id,
            backup_sets_account_name=manifests.account.name,
            backup_sets_container_name=manifests.container.name,
            one_way=self.one_way,
        )
        wiring.publish(self, self.outputs)

    def _disk(self, disk: DataDisk) -> RetainedDisk:
        disks = self.settings.disks
        return RetainedDisk(
            self,
            disk.value,
            name=self.names.data_disk(disk.value, disks.generations.get(disk, 1)),
            location=self.resource_group.location,
            resource_group_name=self.resource_group.name,
            storage_account_type=f"{disks.tier}_{disks.redundancy.upper()}",
            size_gib=disks.size_gib(disk),
            zone=disks.lrs_zone if disks.redundancy == "lrs" else None,
            disk_encryption_set_id=self.settings.cluster.disk_encryption_set_id,
            tags=self.tags,
        )

    def _backup_sets_group(self) -> ResourceGroup:
        """Group of the snapshots of backup sets: apart from Azure Backup's, which removes its own after some days."""
        return ResourceGroup(
            self,
            "backup-sets-group",
            name=self.names.resource_group("disks-backup-sets"),
            location=self.settings.azure.region,
            tags=self.tags,
            lifecycle=self.protected,
        )

    def _manifests(self, group: ResourceGroup) -> BackupStore:
        operators = self.settings.operators
        store = BackupStore(
            self,
            "backup-sets",
            account_name=self.names.storage_account("bak"),
            container_name=BACKUP_MANIFESTS,
            group=group,
            zone_redundant=self.settings.disks.redundancy == "zrs",
            deleted_days=self.settings.disks.backup_retention_days,
            allowed_ranges=_firewall_rules(operators.ip_ranges) if operators.ip_ranges else None,
            public_access=self.settings.backups.public_access,
            writer_ids=operators.object_ids,
            tags=self.tags,
        )
        DenyDeletePolicy(
            self,
            "backup-sets-guard",
            name=self.names.resource("keep-backup-sets"),
            resource_group_id=group.id,
            resource_types=["Microsoft.Storage/storageAccounts"],
            guarded=[store.account],
            reason="The storage account holds the manifests of the backup sets; see docs/reference/data.md.",
        )
        return store

    def _model_store(self) -> ModelStore:
        """Shares for weights: they outlive the cluster, but may be destroyed, since they can be fetched again."""
        serving = self.settings.serving
        return ModelStore(
            self,
            "model-store",
            # Apart from the uploads, whose guard refuses to delete any storage account beside them.
            group_name=self.names.resource_group("disks-models"),
            account_name=self.names.storage_account("mdl"),
            location=self.settings.azure.region,
            sizes_gib={OLLAMA_MODELS: serving.ollama_store_gib, VLLM_MODELS: serving.vllm_store_gib},
            encrypted=serving.store_encrypted_mount,
            tags=self.tags,
        )


def _firewall_rules(ranges: Iterable[IPv4Network]) -> list[str]:
    """Return public ranges as storage accounts take them: no private ones, single addresses without a length.

    https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations
    """
    public = [range_ for range_ in ranges if not any(range_.subnet_of(private) for private in PRIVATE)]
    small = [str(address) for range_ in public if range_.prefixlen > 30 for address in range_]
    return sorted({*small, *(str(range_) for range_ in public if range_.prefixlen <= 30)})
