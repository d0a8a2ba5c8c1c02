"""Database, registry, storage, vault and cluster are closed to the internet and know roles only."""

import pytest

from tests.support.stacks.resources import ENVIRONMENTS, Environment, cluster_of, of_kind, the_one

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


def test_database_is_closed_to_the_internet(environment: Environment, name: str) -> None:
    assert the_one(environment(name), "azurerm_postgresql_flexible_server")["public_network_access_enabled"] is False
    assert of_kind(environment(name), "azurerm_postgresql_flexible_server_firewall_rule") == {}


def test_registry_has_no_admin_user_and_no_anonymous_pull(environment: Environment, name: str) -> None:
    registry = the_one(environment(name), "azurerm_container_registry")
    assert (registry["admin_enabled"], registry["anonymous_pull_enabled"]) == (False, False)


def test_storage_is_closed_to_the_internet_and_has_no_keys(environment: Environment, name: str) -> None:
    """But for the manifests of backup sets, which have no content: operators and pipelines work outside the network."""
    accounts = of_kind(environment(name), "azurerm_storage_account")
    assert {a for a, account in accounts.items() if account["public_network_access_enabled"]} == {
        address for address in accounts if address.startswith("disks/backup-sets_account_")
    }
    assert [account for account in accounts.values() if account["shared_access_key_enabled"]] == []


def test_settings_of_shares_say_what_azure_has_anyway(environment: Environment, name: str) -> None:
    """Without the block `smb` the provider finds one in Azure and plans to remove it, for ever.

    https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.55.0/internal/services/storage/storage_account_resource.go
    (`flattenAccountSharePropertiesSMB`).
    """
    accounts = of_kind(environment(name), "azurerm_storage_account").values()
    shares = [account["share_properties"] for account in accounts if "share_properties" in account]
    assert shares
    assert all(properties["smb"] == {"multichannel_enabled": False} for properties in shares)


def test_vault_and_cluster_know_roles_only(environment: Environment, name: str) -> None:
    assert the_one(environment(name), "azurerm_key_vault")["rbac_authorization_enabled"] is True
    cluster = cluster_of(environment(name))
    assert cluster["local_account_disabled"] is True
    assert cluster["run_command_enabled"] is False
    assert cluster["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"] is True


def test_private_endpoints_reach_database_vault_and_storage(environment: Environment, name: str) -> None:
    endpoints = environment(name).resources("network", "azurerm_private_endpoint").values()
    services = {service for e in endpoints for service in e["private_service_connection"]["subresource_names"]}
    assert {"postgresqlServer", "vault", "file"} <= services
