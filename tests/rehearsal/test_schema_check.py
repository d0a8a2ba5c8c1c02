"""The schema check finds every kind of error, and none in what the platform synthesizes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from scripts.lab.rehearsal.schema_check import findings, types_in_use
from scripts.lab.rehearsal.schemas import pinned
from tests.support.stacks.synthesis import STACKS, VARIANTS, Synthesized

SCHEMAS = pinned()
GOOD: dict[str, Any] = {
    "provider": {"azurerm": [{"features": [{}], "subscription_id": "${var.subscription}"}]},
    "ephemeral": {"random_password": {"new": {"length": 32}}},
    "data": {"terraform_remote_state": {"disks": {"backend": "local"}}, "azurerm_client_config": {"me": {}}},
    "resource": {
        "azurerm_managed_disk": {
            "data": {
                "//": {"metadata": {}},
                "name": "data",
                "location": "westeurope",
                "resource_group_name": "${azurerm_resource_group.one.name}",
                "storage_account_type": "Premium_ZRS",
                "create_option": "Empty",
                "disk_size_gb": 32,
                "tags": {"a": "b"},
                "lifecycle": {"prevent_destroy": True},
                "depends_on": [],
            }
        },
        "azurerm_kubernetes_cluster": {
            "main": {
                "name": "main",
                "location": "westeurope",
                "resource_group_name": "one",
                "default_node_pool": {"name": "system", "vm_size": "Standard_D4s_v5", "zones": ["1", "2"]},
            }
        },
        "helm_release": {"one": {"name": "one", "chart": "one", "set": [{"name": "a", "value": "b"}]}},
    },
}


def test_a_right_stack_has_no_findings() -> None:
    assert findings(GOOD, SCHEMAS) == []


def test_types_in_use_are_those_of_providers_as_well() -> None:
    assert types_in_use([GOOD]) == {
        ("provider", "azurerm"),
        ("ephemeral", "random_password"),
        ("data", "azurerm_client_config"),
        ("resource", "azurerm_managed_disk"),
        ("resource", "azurerm_kubernetes_cluster"),
        ("resource", "helm_release"),
    }


DISK, CLUSTER, RELEASE = (
    "resource.azurerm_managed_disk.data",
    "resource.azurerm_kubernetes_cluster.main",
    "resource.helm_release.one",
)
REMOVED = object()
FAULTS = [
    (f"{DISK}.disk_size", 32, "azurerm_managed_disk.data: disk_size is not known"),
    (f"{DISK}.location", REMOVED, "azurerm_managed_disk.data: location is required and missing"),
    (f"{DISK}.location", None, "azurerm_managed_disk.data: location is required and missing"),
    (f"{DISK}.disk_size_gb", "large", "disk_size_gb must be a number, not str 'large'"),
    (f"{DISK}.disk_size_gb", True, "disk_size_gb must be a number, not bool True"),
    (f"{DISK}.on_demand_bursting_enabled", 1, "on_demand_bursting_enabled must be a bool, not int 1"),
    (f"{DISK}.tags", ["a"], "tags must be a map, not list ['a']"),
    (f"{DISK}.tags", {"a": {}}, "tags['a'] must be a string, not dict {}"),
    (f"{CLUSTER}.fqdn", "x", "fqdn is decided by the provider and cannot be set"),
    (f"{CLUSTER}.default_node_pool", REMOVED, "default_node_pool: the block is required and missing"),
    (f"{CLUSTER}.default_node_pool", "${local.pool}", "default_node_pool is a block and cannot be an expression"),
    (
        f"{CLUSTER}.default_node_pool",
        [{"name": "a", "vm_size": "b"}] * 2,
        "default_node_pool: at most 1 can be given, not 2",
    ),
    (f"{CLUSTER}.default_node_pool.zones", "1", "default_node_pool.zones must be a set, not str '1'"),
    (f"{CLUSTER}.default_node_pool.name", REMOVED, "default_node_pool.name is required and missing"),
    (f"{CLUSTER}.default_node_pool.enable_auto_scaling", True, "default_node_pool.enable_auto_scaling is not known"),
    (f"{RELEASE}.set", [{"value": "b"}], "set[0].name is required and missing"),
    ("resource.azurerm_nothing", {"one": {}}, "azurerm_nothing.one: provider azurerm has no resource type"),
    ("resource.other_thing", {"one": {}}, "other_thing.one: provider 'other' is not one of"),
    ("ephemeral.random_password.new.length", REMOVED, "ephemeral.random_password.new: length is required"),
    ("provider.azurerm", [{"features": {}, "subscription": "x"}], "provider.azurerm[0]: subscription is not known"),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"), FAULTS, ids=[f"{path}={value!r:.20}" for path, value, _ in FAULTS]
)
def test_a_fault_is_named_with_its_place(path: str, value: object, expected: str) -> None:
    stack = deepcopy(GOOD)
    *steps, last = path.split(".")
    place: Any = stack
    for step in steps:
        place = place.setdefault(step, {})
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    (found,) = findings(stack, SCHEMAS)
    assert expected in found


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("variant", VARIANTS.values())
def test_what_the_platform_synthesizes_fits_the_schemas(
    variant: str, stack: str, environment: Callable[[str], Synthesized]
) -> None:
    assert findings(environment(variant).stacks[stack], SCHEMAS) == []
