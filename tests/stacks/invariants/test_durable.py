"""Nothing that holds data or names can be lost."""

import json

import pytest

from tests.support.stacks.resources import ENVIRONMENTS, Environment, of_kind, resources_of, the_one
from tests.support.stacks.synthesis import DURABLE, STACKS

HOLDS_DATA_OR_NAMES = {
    "azuread_application",
    "azuread_group",
    "azuread_service_principal",
    "azurerm_container_registry",
    "azurerm_data_protection_backup_instance_disk",
    "azurerm_data_protection_backup_vault",
    "azurerm_key_vault",
    "azurerm_key_vault_secret",
    "azurerm_managed_disk",
    "azurerm_postgresql_flexible_server",
    "azurerm_public_ip",
    "azurerm_resource_group",
    "azurerm_storage_account",
    "azurerm_storage_container",
    "azurerm_storage_share",
}

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


@pytest.mark.parametrize("stack", DURABLE)
def test_everything_durable_that_holds_data_or_names_refuses_to_be_destroyed(
    environment: Environment, name: str, stack: str
) -> None:
    unprotected = [
        address
        for kind, address, body in resources_of(environment(name), stack)
        if kind in HOLDS_DATA_OR_NAMES and not body.get("lifecycle", {}).get("prevent_destroy")
    ]
    # Weights can be fetched again.
    assert [address for address in unprotected if not address.startswith("disks/model-store_")] == []


def test_nothing_disposable_refuses_to_be_destroyed(environment: Environment, name: str) -> None:
    protected = [
        address
        for _, address, body in resources_of(environment(name))
        if address.partition("/")[0] not in DURABLE and body.get("lifecycle", {}).get("prevent_destroy")
    ]
    assert protected == []


def test_every_data_disk_has_a_delete_lock_and_a_daily_backup(environment: Environment, name: str) -> None:
    disks = environment(name).resources("disks", "azurerm_managed_disk")
    assert len(disks) == 5
    locks = [lock["scope"] for lock in environment(name).resources("disks", "azurerm_management_lock").values()]
    backups = environment(name).resources("disks", "azurerm_data_protection_backup_instance_disk").values()
    for disk in disks:
        reference = f"${{azurerm_managed_disk.{disk}.id}}"
        assert reference in locks
        assert reference in [backup["disk_id"] for backup in backups]


def test_what_holds_data_or_names_is_kept_from_deletion_in_azure(environment: Environment, name: str) -> None:
    guarded = [
        json.loads(definition["policy_rule"])["if"]["in"]
        for definition in of_kind(environment(name), "azurerm_policy_definition").values()
        if json.loads(definition["policy_rule"])["then"]["effect"] == "denyAction"
    ]
    assert {kind for kinds in guarded for kind in kinds} == {
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.Storage/storageAccounts",
    }


def test_deleted_vault_cannot_be_purged_and_its_secrets_can_be_recovered(environment: Environment, name: str) -> None:
    vault = the_one(environment(name), "azurerm_key_vault")
    assert vault["purge_protection_enabled"] is True
    for stack in STACKS:
        for provider in environment(name).stacks[stack].get("provider", {}).get("azurerm", []):
            assert provider["features"][0]["key_vault"][0]["purge_soft_delete_on_destroy"] is False
