"""Nothing that holds data or names can be destroyed by accident, and nothing else is held up by that."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from stacks.acr import AcrStack
from stacks.address import AddressStack
from stacks.database import DatabaseStack
from stacks.disks import DisksStack
from stacks.settings import load_settings
from tests.support.stacks.durable import Block, Stack, identity_stack, of_type, synthesized
from tests.support.stacks.synthesis import DISPOSABLE, Synthesized

DURABLE: list[Stack] = [identity_stack, DisksStack, AcrStack, DatabaseStack, AddressStack]

WEIGHTS = "model-store_"
"""Resources that outlive the cluster and hold nothing but what can be fetched again."""
REPLACEABLE = {
    "azuread_app_role_assignment",
    "azuread_application_identifier_uri",
    "azuread_application_pre_authorized",
    "azuread_service_principal_delegated_permission_grant",
    "azurerm_data_protection_backup_policy_disk",
    "azurerm_dns_cname_record",
    "azurerm_management_lock",
    "azurerm_policy_definition",
    "azurerm_postgresql_flexible_server_active_directory_administrator",
    "azurerm_postgresql_flexible_server_configuration",
    "azurerm_resource_group_policy_assignment",
    "azurerm_role_assignment",
}
"""Types that hold neither data nor names: Terraform can make them again from the code alone."""

POINTED_AT = {
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_key_vault": "Microsoft.KeyVault/vaults",
    "azurerm_postgresql_flexible_server": "Microsoft.DBforPostgreSQL/flexibleServers",
    "azurerm_public_ip": "Microsoft.Network/publicIPAddresses",
    "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
}
"""Types that endpoints and roles of the disposable tier point at, with their names in Azure Policy."""


@pytest.fixture(params=["dev", "prod"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("stack", DURABLE)
def test_destroying_what_holds_data_or_names_is_refused(stack: Stack, name: str) -> None:
    resources = synthesized(stack, load_settings(name))["resource"]
    kept = {kind: named for kind, named in resources.items() if kind not in REPLACEABLE}
    assert kept
    unprotected = [
        f"{kind}.{resource}"
        for kind, named in kept.items()
        for resource, body in named.items()
        if not body.get("lifecycle", {}).get("prevent_destroy") and not resource.startswith(WEIGHTS)
    ]
    assert unprotected == []


def test_weights_are_no_data_and_may_be_destroyed_by_name(name: str) -> None:
    resources = synthesized(DisksStack, load_settings(name))["resource"]
    store = {
        kind: body
        for kind, named in resources.items()
        for resource, body in named.items()
        if resource.startswith(WEIGHTS)
    }
    assert set(store) == {"azurerm_resource_group", "azurerm_storage_account", "azurerm_storage_share"}
    assert [body for body in store.values() if "lifecycle" in body] == []
    # The policy that refuses to delete the account of the uploads covers its resource group.
    for guard in resources["azurerm_resource_group_policy_assignment"].values():
        assert "model-store" not in guard["resource_group_id"]


@pytest.mark.parametrize("stack", DURABLE)
def test_locks_lie_on_disks_alone(stack: Stack, name: str) -> None:
    """Under any other lock the disposable stacks could not remove their endpoints and role assignments."""
    locks = of_type(synthesized(stack, load_settings(name)), "azurerm_management_lock")
    assert [lock["scope"] for lock in locks if not lock["scope"].startswith("${azurerm_managed_disk.")] == []


def test_every_disk_is_locked_against_deletion(name: str) -> None:
    stack = synthesized(DisksStack, load_settings(name))
    locked = {lock["scope"] for lock in of_type(stack, "azurerm_management_lock")}
    assert locked == {f"${{azurerm_managed_disk.{disk}.id}}" for disk in stack["resource"]["azurerm_managed_disk"]}
    assert {lock["lock_level"] for lock in of_type(stack, "azurerm_management_lock")} == {"CanNotDelete"}


@pytest.mark.parametrize("stack", [DisksStack, AcrStack, DatabaseStack, AddressStack])
def test_what_must_not_be_locked_is_guarded_by_policy(stack: Stack, name: str) -> None:
    parsed = synthesized(stack, load_settings(name))
    needed = {azure for kind, azure in POINTED_AT.items() if of_type(parsed, kind)}
    assert needed
    assert _guarded(parsed) == needed


def test_manifests_of_backup_sets_are_guarded_in_their_own_group(name: str) -> None:
    parsed = synthesized(DisksStack, load_settings(name))
    (address,) = (a for a in parsed["resource"]["azurerm_storage_account"] if a.startswith("backup-sets_account_"))
    (guard,) = (
        assignment
        for assignment in of_type(parsed, "azurerm_resource_group_policy_assignment")
        if assignment["depends_on"] == [f"azurerm_storage_account.{address}"]
    )
    assert guard["resource_group_id"] == "${azurerm_resource_group.backup-sets-group.id}"
    assert guard["name"] == f"llm-{name}-keep-backup-sets"


def _guarded(parsed: Block) -> set[str]:
    guarded: set[str] = set()
    for guard, definition in parsed["resource"]["azurerm_policy_definition"].items():
        rule: Any = json.loads(definition["policy_rule"])
        assert rule["then"]["effect"] == "denyAction"
        assert rule["then"]["details"] == {
            "actionNames": ["delete"],
            # Else the resource group could be deleted, and what it holds with it.
            "cascadeBehaviors": {"resourceGroup": "deny"},
        }
        assignments = [
            assignment
            for assignment in of_type(parsed, "azurerm_resource_group_policy_assignment")
            if assignment["policy_definition_id"] == f"${{azurerm_policy_definition.{guard}.id}}"
            and assignment["resource_group_id"] == "${azurerm_resource_group.resource-group.id}"
            and assignment.get("enforce", True)
        ]
        guarded |= set(rule["if"]["in"]) if assignments else set()
    return guarded


@pytest.mark.parametrize("stack", [DisksStack, AcrStack, DatabaseStack, AddressStack])
def test_the_policy_goes_before_what_it_keeps_when_a_stack_is_given_up(stack: Stack, name: str) -> None:
    """Azure would go on refusing, and Terraform would stop in the middle."""
    parsed = synthesized(stack, load_settings(name))
    kept = {
        f"{kind}.{resource}"
        for kind in POINTED_AT
        for resource in parsed["resource"].get(kind, {})
        if not resource.startswith(WEIGHTS)
    }
    assignments = of_type(parsed, "azurerm_resource_group_policy_assignment")
    assert kept
    assert {address for assignment in assignments for address in assignment["depends_on"]} == kept


@pytest.mark.parametrize("stack", DURABLE)
def test_role_assignments_are_made_on_groups_which_no_lock_covers(stack: Stack, name: str) -> None:
    scopes = [role["scope"] for role in of_type(synthesized(stack, load_settings(name)), "azurerm_role_assignment")]
    assert [scope for scope in scopes if not re.match(r"\$\{azurerm_resource_group\.", scope)] == []


def test_disposable_stacks_hang_nothing_on_a_locked_disk(environment: Callable[[str], Synthesized], name: str) -> None:
    """Azure would refuse to remove it as long as the lock is there."""
    hanging = [
        body
        for stack in DISPOSABLE
        for kind in ("azurerm_role_assignment", "azurerm_private_endpoint")
        for body in environment(name).resources(stack, kind).values()
    ]
    assert hanging
    assert [body for body in hanging if "_disk_id" in json.dumps(body)] == []
