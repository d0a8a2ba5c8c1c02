"""Plans follow the schema: what is computed, what is kept, what is never kept, what replaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider import planning
from scripts.lab.rehearsal.fake_provider.force_new import FORCE_NEW, FORCE_NEW_IF
from scripts.lab.rehearsal.fake_provider.protocol.values import (
    UNKNOWN,
    decode,
    encode,
    is_unknown,
    lookup,
    wholly_known,
)
from scripts.lab.rehearsal.fake_provider.replacement import refused_change, replaced_by
from scripts.lab.rehearsal.schemas import pinned
from tests.support.rehearsal.fake_providers import LOCATION, Provider, provider

GROUP = {"name": "one", "location": LOCATION}
DISK: dict[str, Any] = {
    "name": "data",
    "location": LOCATION,
    "resource_group_name": "one",
    "storage_account_type": "Premium_ZRS",
    "create_option": "Empty",
    "disk_size_gb": 32,
}
CLUSTER: dict[str, Any] = {
    "name": "main",
    "location": LOCATION,
    "resource_group_name": "one",
    "dns_prefix": "main",
    "default_node_pool": {"name": "system", "vm_size": "Standard_D4s_v5", "node_count": 1},
}


@pytest.fixture
def azure(tmp_path: Path) -> Provider:
    found = provider("azurerm", tmp_path)
    found.create("azurerm_resource_group", **GROUP)
    return found


def test_unknown_values_survive_the_wire() -> None:
    value = {"a": UNKNOWN, "b": [1, 2.5, "x", None, True]}
    assert decode(encode(value)) == value
    assert is_unknown(decode(encode(value))["a"])
    assert not wholly_known(value)


def test_a_path_enters_the_first_element_of_a_block() -> None:
    value = {"pool": [{"name": "a"}, {"name": "b"}], "later": UNKNOWN}
    assert lookup(value, "pool.name") == "a"
    assert lookup(value, "pool.1.name") == "b"
    assert lookup(value, "pool.2.name") is None
    assert lookup(value, "later.name") is UNKNOWN


def test_a_new_resource_has_unknown_computed_attributes_only(azure: Provider) -> None:
    planned = azure.plan("azurerm_managed_disk", **DISK).state
    assert planned["disk_size_gb"] == 32
    assert is_unknown(planned["id"])
    assert planned["zone"] is None


def test_the_same_configuration_again_plans_nothing(azure: Provider) -> None:
    state = azure.create("azurerm_kubernetes_cluster", **CLUSTER)
    answer = azure.plan("azurerm_kubernetes_cluster", state, **CLUSTER)
    assert answer.state == state
    assert answer.replaced_by == []


def test_an_update_keeps_what_the_service_decided(azure: Provider) -> None:
    state = azure.create("azurerm_managed_disk", **DISK)
    answer = azure.plan("azurerm_managed_disk", state, **DISK | {"disk_size_gb": 64})
    assert wholly_known(answer.state)
    assert answer.state == {**state, "disk_size_gb": 64}


def test_computed_objects_have_an_element_and_configurable_ones_are_empty(azure: Provider) -> None:
    state = azure.create("azurerm_kubernetes_cluster", **CLUSTER)
    assert state["kube_config"][0]["host"].startswith("https://main-")
    group = {"name": "rules", "location": LOCATION, "resource_group_name": "one"}
    assert azure.create("azurerm_network_security_group", **group)["security_rule"] == []


def test_blocks_that_azure_decides_on_are_unknown_then_kept(azure: Provider) -> None:
    answer = azure.plan("azurerm_kubernetes_cluster", **CLUSTER)
    assert is_unknown(answer.state["kubelet_identity"])
    assert answer.legacy
    state = azure.create("azurerm_kubernetes_cluster", **CLUSTER)
    assert state["kubelet_identity"][0]["object_id"]


@pytest.mark.parametrize("mode", ["list", "set"])
def test_only_new_elements_of_a_block_get_unknowns(mode: str) -> None:
    element = {"attributes": {"name": {"type": "string"}, "address": {"type": "string", "computed": True}}}
    block = {"attributes": {}, "block_types": {"rule": {"nesting_mode": mode, "block": element}}}
    old, new = {"name": "old", "address": None}, {"name": "new", "address": None}
    planned = planning.with_unknowns(block, {"rule": [old, new]}, {"rule": [old]})
    assert planned == {"rule": [old, {"name": "new", "address": UNKNOWN}]}


def test_write_only_values_are_in_neither_plan_nor_state(tmp_path: Path) -> None:
    helm = provider("helm", tmp_path, "platform")
    release = {
        "name": "login",
        "chart": "login",
        "set_wo": [{"name": "password", "value": "hidden-from-state"}],
        "set_wo_revision": 1,
    }
    answer = helm.plan("helm_release", **release)
    state = helm.create("helm_release", **release)
    assert answer.state["set_wo"] is None
    assert "hidden-from-state" not in repr(state)
    assert helm.cloud.secret_values() == {"password", "hidden-from-state"}


@pytest.mark.parametrize("type_name", sorted({*FORCE_NEW, *(of for of, _path in FORCE_NEW_IF)}))
def test_every_argument_that_replaces_exists(type_name: str) -> None:
    block = pinned().block("resource", type_name)
    paths = [*FORCE_NEW.get(type_name, ()), *(path for of, path in FORCE_NEW_IF if of == type_name)]
    for path in paths:
        *steps, last = path.split(".")
        inner = block
        for step in steps:
            inner = inner["block_types"][step]["block"]
        assert last in inner["attributes"] or last in inner["block_types"], path


AKS = "azurerm_kubernetes_cluster"
PG = "azurerm_postgresql_flexible_server"
REPLACING = [
    ("azurerm_managed_disk", {"name": "a"}, {"name": "b"}, ["name"]),
    ("azurerm_managed_disk", {"location": "a"}, {"location": UNKNOWN}, ["location"]),
    ("azurerm_managed_disk", {"disk_size_gb": 32}, {"disk_size_gb": 64}, []),
    ("azuread_group", {"display_name": "a"}, {"display_name": "b"}, []),
    (PG, {"storage_mb": 65536}, {"storage_mb": 32768}, ["storage_mb"]),
    (PG, {"storage_mb": 32768}, {"storage_mb": 65536}, []),
    (PG, {"storage_mb": 32768}, {"storage_mb": UNKNOWN}, ["storage_mb"]),
    (PG, {"version": "17"}, {"version": "16"}, ["version"]),
    (PG, {"version": "16"}, {"version": "17"}, []),
    (
        PG,
        {"geo_redundant_backup_enabled": False},
        {"geo_redundant_backup_enabled": True},
        ["geo_redundant_backup_enabled"],
    ),
    (
        AKS,
        {"network_profile": [{"pod_cidr": "a"}]},
        {"network_profile": [{"pod_cidr": "b"}]},
        ["network_profile.pod_cidr"],
    ),
    (
        AKS,
        {"network_profile": [{"network_data_plane": "azure"}]},
        {"network_profile": [{"network_data_plane": "cilium"}]},
        ["network_profile.network_data_plane"],
    ),
    (
        AKS,
        {"network_profile": [{"network_plugin_mode": None}]},
        {"network_profile": [{"network_plugin_mode": "overlay"}]},
        [],
    ),
    (AKS, {"default_node_pool": [{"vm_size": "a"}]}, {"default_node_pool": [{"vm_size": "b"}]}, []),
    ("azurerm_kubernetes_cluster_node_pool", {"os_sku": "Ubuntu"}, {"os_sku": "AzureLinux"}, []),
    ("azurerm_kubernetes_cluster_node_pool", {"os_sku": "Ubuntu"}, {"os_sku": "Windows2022"}, ["os_sku"]),
    ("kubernetes_namespace_v1", {"metadata": [{"name": "a"}]}, {"metadata": [{"name": "b"}]}, ["metadata.name"]),
    ("helm_release", {"namespace": "a"}, {"namespace": "b"}, ["namespace"]),
]


@pytest.mark.parametrize(
    ("type_name", "before", "after", "paths"), REPLACING, ids=[f"{one[0]}-{one[1]}" for one in REPLACING]
)
def test_a_change_replaces_where_the_provider_does(
    type_name: str, before: dict[str, Any], after: dict[str, Any], paths: list[str]
) -> None:
    assert replaced_by(type_name, before, after) == paths


@pytest.mark.parametrize(
    ("type_name", "before", "after", "word"),
    [
        ("azurerm_managed_disk", {"disk_size_gb": 64}, {"disk_size_gb": 32}, "Shrinking"),
        ("azurerm_key_vault", {"purge_protection_enabled": True}, {"purge_protection_enabled": False}, "Purge"),
        (
            AKS,
            {"default_node_pool": [{"vm_size": "a"}]},
            {"default_node_pool": [{"vm_size": "b"}]},
            "temporary_name_for_rotation",
        ),
        ("azurerm_kubernetes_cluster_node_pool", {"vm_size": "a"}, {"vm_size": "b"}, "temporary_name_for_rotation"),
    ],
)
def test_a_change_that_cannot_be_made_in_place_is_refused(
    type_name: str, before: dict[str, Any], after: dict[str, Any], word: str
) -> None:
    assert word in (refused_change(type_name, before, after) or "")
    assert refused_change(type_name, before, before) is None


def test_a_pool_with_a_temporary_name_changes_its_machines_in_place() -> None:
    before = {"vm_size": "a", "temporary_name_for_rotation": "rotating"}
    assert refused_change("azurerm_kubernetes_cluster_node_pool", before, {**before, "vm_size": "b"}) is None
