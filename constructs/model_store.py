"""A storage account for weights: NFS shares that outlive every cluster, and hold what can be fetched again."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.storage_account import StorageAccount, StorageAccountNetworkRules
from cdktf_cdktf_provider_azurerm.storage_share import StorageShare
from constructs import Construct


class ModelStore(Construct):
    """Resource group, account and a share for each name in `sizes_gib`.

    Guarded by the network alone: mounting needs neither key nor role. Nothing in it is protected from being destroyed,
    and it has a group of its own, outside of what guards the data beside it.
    """

    group: ResourceGroup
    """Holds nothing else."""
    account: StorageAccount
    """Answers by a private endpoint alone, which another stack adds."""
    shares: dict[str, StorageShare]
    """By the names in `sizes_gib`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        group_name: str,
        account_name: str,
        location: str,
        sizes_gib: Mapping[str, int],
        encrypted: bool,
        tags: Mapping[str, str],
    ) -> None:
        """Add the store; `encrypted` refuses mounts without TLS."""
        super().__init__(scope, id_)
        self.group = ResourceGroup(self, "group", name=group_name, location=location, tags=dict(tags))
        self.account = StorageAccount(
            self,
            "account",
            name=account_name,
            location=self.group.location,
            resource_group_name=self.group.name,
            account_kind="FileStorage",
            account_tier="Premium",
            # Shares from 32 GiB on, instead of 100.
            provisioned_billing_model_version="V2",
            # Weights can be fetched again: copies in other zones are not worth their price.
            account_replication_type="LRS",
            public_network_access_enabled=False,
            network_rules=StorageAccountNetworkRules(default_action="Deny", bypass=["AzureServices"]),
            # "HTTPS only" is how Azure names the refusal of mounts that are not encrypted.
            https_traffic_only_enabled=encrypted,
            min_tls_version="TLS1_2",
            shared_access_key_enabled=False,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            tags=dict(tags),
        )
        self.shares = {
            name: StorageShare(
                self, name, name=name, storage_account_id=self.account.id, enabled_protocol="NFS", quota=size
            )
            for name, size in sizes_gib.items()
        }
