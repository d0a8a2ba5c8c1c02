"""What Azure does not delete: locked, denied by policy, not empty, in use."""

from __future__ import annotations

import json
from typing import Any

from tests.support.rehearsal.azure_arguments import CLUSTER, DISK, GROUP_ID, IN_GROUP, POOL, VAULT
from tests.support.rehearsal.fake_providers import Provider


def lock(azure: Provider, scope: str) -> dict[str, Any]:
    return azure.create("azurerm_management_lock", name="keep", scope=scope, lock_level="CanNotDelete")


def test_a_lock_keeps_the_resource_and_what_is_below_it(azure: Provider) -> None:
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    other = azure.create("azurerm_managed_disk", name="data2", **DISK)
    role = azure.create("azurerm_role_assignment", scope=disk["id"], principal_id="p", role_definition_name="Reader")
    held = lock(azure, disk["id"])
    for type_name, state in (("azurerm_managed_disk", disk), ("azurerm_role_assignment", role)):
        assert "ScopeLocked" in azure.delete(type_name, state)[0]
        assert azure.read(type_name, state) == state
    assert azure.delete("azurerm_managed_disk", other) == []
    assert azure.delete("azurerm_management_lock", held) == []
    assert azure.delete("azurerm_role_assignment", role) == []
    assert azure.delete("azurerm_managed_disk", disk) == []


def test_a_lock_on_a_resource_keeps_its_group(azure: Provider) -> None:
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    lock(azure, disk["id"])
    group = {"id": GROUP_ID, "name": "one"}
    assert "ScopeLocked" in azure.delete("azurerm_resource_group", group)[0]


def test_a_group_that_holds_something_is_not_deleted(azure: Provider) -> None:
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    group = {"id": GROUP_ID, "name": "one"}
    assert "still contains Resources" in azure.delete("azurerm_resource_group", group)[0]
    azure.delete("azurerm_managed_disk", disk)
    assert azure.delete("azurerm_resource_group", group) == []


def test_a_subnet_in_use_is_not_deleted(azure: Provider) -> None:
    azure.create("azurerm_virtual_network", name="net", address_space=["10.0.0.0/16"], **IN_GROUP)
    subnet = azure.create(
        "azurerm_subnet",
        resource_group_name="one",
        virtual_network_name="net",
        name="nodes",
        address_prefixes=["10.0.0.0/24"],
    )
    user = azure.create(
        "azurerm_kubernetes_cluster", **CLUSTER | {"default_node_pool": {**POOL, "vnet_subnet_id": subnet["id"]}}
    )
    assert "InUseSubnetCannotBeDeleted" in azure.delete("azurerm_subnet", subnet)[0]
    azure.delete("azurerm_kubernetes_cluster", user)
    assert azure.delete("azurerm_subnet", subnet) == []


def test_a_policy_denies_deleting_its_types_and_their_group_only(azure: Provider) -> None:
    rule = {
        "if": {"field": "type", "in": ["Microsoft.KeyVault/vaults"]},
        "then": {
            "effect": "denyAction",
            "details": {"actionNames": ["delete"], "cascadeBehaviors": {"resourceGroup": "deny"}},
        },
    }
    definition = azure.create(
        "azurerm_policy_definition",
        name="keep",
        display_name="keep",
        policy_type="Custom",
        mode="Indexed",
        policy_rule=json.dumps(rule),
    )
    vault = azure.create("azurerm_key_vault", **VAULT)
    role = azure.create("azurerm_role_assignment", scope=vault["id"], principal_id="p", role_definition_name="Reader")
    logs = azure.create("azurerm_monitor_diagnostic_setting", name="logs", target_resource_id=vault["id"])
    disk = azure.create("azurerm_managed_disk", name="data", **DISK)
    assignment = azure.create(
        "azurerm_resource_group_policy_assignment",
        name="keep",
        resource_group_id=GROUP_ID,
        policy_definition_id=definition["id"],
    )
    for type_name, state in (("azurerm_key_vault", vault), ("azurerm_resource_group", {"id": GROUP_ID, "name": "one"})):
        assert "RequestDisallowedByPolicy" in azure.delete(type_name, state)[0]
    for type_name, state in (
        ("azurerm_role_assignment", role),
        ("azurerm_monitor_diagnostic_setting", logs),
        ("azurerm_managed_disk", disk),
        ("azurerm_resource_group_policy_assignment", assignment),
        ("azurerm_key_vault", vault),
    ):
        assert azure.delete(type_name, state) == []
