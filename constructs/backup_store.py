"""Where the manifests of backup sets are kept: a versioned blob container outside the cluster."""

from collections.abc import Mapping, Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktf_cdktf_provider_azurerm.storage_account import (
    StorageAccount,
    StorageAccountBlobProperties,
    StorageAccountBlobPropertiesContainerDeleteRetentionPolicy,
    StorageAccountBlobPropertiesDeleteRetentionPolicy,
    StorageAccountNetworkRules,
)
from cdktf_cdktf_provider_azurerm.storage_container import StorageContainer
from constructs import Construct

from .resource_group import ResourceGroup
from .role_assignment import RoleAssignment


class BackupStore(Construct):
    """A storage account without keys and one container in it, which keeps every version of every blob.

    Its manifests name resources and count rows; they hold no secret and no content. Whoever has a role reads them, from
    the allowed ranges where there are any: operators and pipelines work outside the network.
    """

    account: StorageAccount
    """Takes no key: only logins with a role write or read."""
    container: StorageContainer
    """Holds one blob for each set."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account_name: str,
        container_name: str,
        group: ResourceGroup,
        zone_redundant: bool,
        deleted_days: int,
        allowed_ranges: Sequence[str] | None,
        public_access: bool,
        writer_ids: Sequence[str],
        tags: Mapping[str, str],
    ) -> None:
        """Add account, container and roles.

        `allowed_ranges` are public addresses as the firewall of storage accounts takes them; None is all addresses.
        Without `public_access` none of them is let in, and a private endpoint, which another stack adds, is the way.
        Deleted blobs, old versions and the container can be brought back for `deleted_days`. `writer_ids` may write
        manifests; empty means the principal of the first deployment.
        """
        super().__init__(scope, id_)
        keep = TerraformResourceLifecycle(prevent_destroy=True)
        self.account = StorageAccount(
            self,
            "account",
            name=account_name,
            location=group.location,
            resource_group_name=group.name,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type="ZRS" if zone_redundant else "LRS",
            public_network_access_enabled=public_access,
            network_rules=_network_rules(allowed_ranges if public_access else ()),
            https_traffic_only_enabled=True,
            min_tls_version="TLS1_2",
            shared_access_key_enabled=False,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            blob_properties=StorageAccountBlobProperties(
                versioning_enabled=True,
                delete_retention_policy=StorageAccountBlobPropertiesDeleteRetentionPolicy(days=deleted_days),
                container_delete_retention_policy=StorageAccountBlobPropertiesContainerDeleteRetentionPolicy(
                    days=deleted_days
                ),
            ),
            tags=dict(tags),
            lifecycle=keep,
        )
        self.container = StorageContainer(
            self,
            "container",
            name=container_name,
            # By the resource manager: the account's own interface would need a role that is minutes away.
            storage_account_id=self.account.id,
            container_access_type="private",
            lifecycle=keep,
        )
        role = "Storage Blob Data Contributor"
        if writer_ids:
            for writer in writer_ids:
                RoleAssignment(
                    self, f"writer-{writer}", role=role, on=group.id, principal_id=writer, principal_type=None
                )
        else:
            deployer = DataAzurermClientConfig(self, "deployer")
            RoleAssignment(
                self,
                "writer",
                role=role,
                on=group.id,
                principal_id=deployer.object_id,
                principal_type=None,
                keep_principal=True,
            )


def _network_rules(allowed_ranges: Sequence[str] | None) -> StorageAccountNetworkRules:
    if allowed_ranges is None:
        # azurerm does not read back rules that say what Azure does anyway, so that every plan would add them again; and
        # without rules it would keep those of a time when there were ranges. "Metrics" means nothing where all is open.
        return StorageAccountNetworkRules(default_action="Allow", bypass=["AzureServices", "Metrics"], ip_rules=[])
    return StorageAccountNetworkRules(default_action="Deny", bypass=["AzureServices"], ip_rules=list(allowed_ranges))
