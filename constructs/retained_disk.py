"""A managed disk that outlives every cluster."""

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.managed_disk import ManagedDisk
from constructs import Construct

from .delete_lock import DeleteLock


class RetainedDisk(Construct):
    """An empty data disk that Terraform refuses to destroy and Azure refuses to delete.

    `zone` is given exactly for a disk that is bound to one availability zone. A disk restored from a backup can be
    imported in its place: how a disk was filled is not compared.
    """

    name: str
    """Known at synthesis, unlike the resource's attribute."""
    disk: ManagedDisk
    """Roles are given on its group: Azure deletes none at a locked disk."""
    lock: DeleteLock
    """What attaches or backs up the disk may wait for it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        location: str,
        resource_group_name: str,
        storage_account_type: str,
        size_gib: int,
        zone: int | None,
        disk_encryption_set_id: str | None,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.disk = ManagedDisk(
            self,
            "disk",
            name=name,
            location=location,
            resource_group_name=resource_group_name,
            storage_account_type=storage_account_type,
            create_option="Empty",
            disk_size_gb=size_gib,
            zone=None if zone is None else str(zone),
            disk_encryption_set_id=disk_encryption_set_id,
            # Both concern exporting the contents over a shared link. Attaching and the backup's incremental
            # snapshots go through the resource manager and need neither.
            network_access_policy="DenyAll",
            public_network_access_enabled=False,
            tags=dict(tags),
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=True, ignore_changes=["create_option", "source_resource_id"]
            ),
        )
        self.lock = DeleteLock(
            self, "lock", resource_id=self.disk.id, reason="Holds data that outlives the cluster; see docs/data.md."
        )
