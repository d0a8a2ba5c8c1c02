"""No setting of a node pool replaces the cluster, and GPU pools take only what asks for a GPU."""

import pytest

from stacks.common.azure_names import rotation_pool_name
from tests.support.stacks.disposable import aks_stack, cluster_of, named
from tests.support.stacks.durable import Block, of_type, only

ENVIRONMENTS = pytest.mark.parametrize("environment", ["dev", "prod"])
REPLACES_THE_CLUSTER = {
    "capacity_reservation_group_id",
    "gpu_driver",
    "gpu_instance",
    "host_group_id",
    "node_public_ip_prefix_id",
    "proximity_placement_group_id",
}


"""Attributes of the system pool that azurerm 4.55 marks as forcing a new cluster, besides its name and type."""


def _gpu_pool(**pool: object) -> Block:
    aks = aks_stack(cluster={"gpu_pools": {"cards": {"vm_size": "Standard_NC4as_T4_v3"} | pool}})
    return named(aks, "azurerm_kubernetes_cluster_node_pool", "gpu-pool-cards")


@ENVIRONMENTS
def test_system_pool_takes_critical_addons_only_in_every_zone(environment: str) -> None:
    pool = cluster_of(environment)["default_node_pool"]
    assert pool["only_critical_addons_enabled"] is True
    assert pool["zones"] == ["1", "2", "3"]
    assert (pool["auto_scaling_enabled"], pool["node_public_ip_enabled"]) == (True, False)


def test_no_setting_of_the_system_pool_replaces_the_cluster() -> None:
    small = cluster_of()["default_node_pool"]
    changed = cluster_of(
        cluster={
            "system_pool": {
                "vm_size": "Standard_D8ds_v5",
                "min_nodes": 2,
                "max_nodes": 9,
                "os_disk_gib": 64,
                "ephemeral_os_disk": False,
            },
            "host_encryption": True,
            "max_pods_per_node": 60,
            "kubernetes_version": "1.35",
        }
    )["default_node_pool"]
    assert changed["vm_size"] != small["vm_size"]
    for fixed in ("name", "type", "temporary_name_for_rotation", "upgrade_settings"):
        assert changed[fixed] == small[fixed]
    assert not REPLACES_THE_CLUSTER & (small.keys() | changed.keys())


@ENVIRONMENTS
def test_pools_can_be_rebuilt_and_their_size_is_the_autoscalers(environment: str) -> None:
    aks = aks_stack(environment)
    cluster = only(aks, "azurerm_kubernetes_cluster")
    assert cluster["lifecycle"]["ignore_changes"] == ["default_node_pool[0].node_count"]
    for pool in of_type(aks, "azurerm_kubernetes_cluster_node_pool"):
        assert pool["temporary_name_for_rotation"] == rotation_pool_name(pool["name"])
        assert "node_count" in pool["lifecycle"]["ignore_changes"]
        assert "node_count" not in pool


def test_stand_in_names_are_valid_and_apart() -> None:
    pools = ["system", "workload", "a", "gpu", "abcdefghijkl", "abcdefghijkm", "t4"]
    names = {rotation_pool_name(pool) for pool in pools}
    assert len(names) == len(pools)
    assert not names & set(pools)
    assert all(name.isalnum() and name.islower() and name[0].isalpha() and len(name) <= 12 for name in names)


def test_gpu_pool_takes_only_what_asks_for_a_gpu() -> None:
    pool = _gpu_pool(priority="regular")
    assert pool["node_taints"] == ["sku=gpu:NoSchedule"]
    assert pool["node_labels"] == {"nvidia.com/gpu.present": "true"}
    assert (pool["priority"], pool["gpu_driver"], pool["min_count"]) == ("Regular", "Install", 0)
    assert not {"eviction_policy", "spot_max_price"} & pool.keys()
    assert pool["upgrade_settings"]["max_surge"] == "10%"


@pytest.mark.parametrize(("limit", "price"), [(None, -1), (0.35, 0.35)])
def test_spot_pool_states_what_aks_adds_and_nothing_that_it_refuses(limit: float | None, price: float) -> None:
    pool = _gpu_pool(priority="spot", max_price_usd_per_hour=limit)
    assert pool["node_labels"]["kubernetes.azure.com/scalesetpriority"] == "spot"
    assert pool["node_taints"] == ["sku=gpu:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
    assert (pool["priority"], pool["eviction_policy"], pool["spot_max_price"]) == ("Spot", "Delete", price)
    assert "upgrade_settings" not in pool
    assert "upgrade_settings" in pool["lifecycle"]["ignore_changes"]


def test_autoscaler_knows_a_node_of_shared_cards_before_the_first_one_is_there() -> None:
    """Without the tag it orders a node for every share (Azure/AKS#3427)."""
    tag = "k8s.io_cluster-autoscaler_node-template_resources_nvidia.com_gpu"
    assert _gpu_pool(time_slices=3)["tags"][tag] == "3"
    assert _gpu_pool(vm_size="Standard_NC64as_T4_v3", time_slices=2)["tags"][tag] == "8"
    assert tag not in _gpu_pool()["tags"]


def test_gpu_pool_may_keep_to_zones_of_its_own() -> None:
    assert _gpu_pool()["zones"] == ["1", "2", "3"]
    assert _gpu_pool(zones=[2])["zones"] == ["2"]


def test_any_number_of_gpu_pools_becomes_one_node_pool_each() -> None:
    pools = {f"gpu{number}": {"vm_size": "Standard_NC4as_T4_v3", "max_nodes": number} for number in range(1, 8)}
    found = of_type(aks_stack(cluster={"gpu_pools": pools}), "azurerm_kubernetes_cluster_node_pool")
    assert {pool["name"]: pool["max_count"] for pool in found} == {"workload": 4} | {
        name: pool["max_nodes"] for name, pool in pools.items()
    }


def test_region_without_zones_places_pools_anywhere() -> None:
    aks = aks_stack(azure={"zones": ()})
    assert "zones" not in only(aks, "azurerm_kubernetes_cluster")["default_node_pool"]
    assert not [pool for pool in of_type(aks, "azurerm_kubernetes_cluster_node_pool") if "zones" in pool]
