"""A pool in a zone that lacks its machines is refused by its key, before anything exists."""

from typing import Any

from scripts.core.errors import OperatorError
from scripts.deployment.preflight.zones import refused
from tests.support.stacks.durable import settings

T4 = "Standard_NC4as_T4_v3"
POOL = {"vm_size": T4, "priority": "spot", "min_nodes": 0, "max_nodes": 1}


def sku(name: str, zones: list[str], restricted: list[str] | None = None) -> dict[str, Any]:
    """Return an entry of `az vm list-skus`, as far as zones go."""
    limits = [{"type": "Zone", "restrictionInfo": {"locations": ["westeurope"], "zones": restricted}}]
    return {
        "name": name,
        "locationInfo": [{"location": "westeurope", "zones": zones}],
        "restrictions": limits if restricted else [],
    }


def azure(**sizes: dict[str, Any]) -> Any:
    """Return what answers with these machines, and with every other of the pools in all zones."""
    asked = []

    def ask(*arguments: str) -> list[Any]:
        assert arguments[:2] == ("vm", "list-skus")
        asked.append(arguments)
        assert len(asked) == 1, "az takes a long time for each answer"
        cluster = settings().cluster
        others = {cluster.system_pool.vm_size, cluster.workload_pool.vm_size, T4} - set(sizes)
        return [*sizes.values(), *(sku(size, ["1", "2", "3"]) for size in others), sku(f"{T4}_other", [])]

    return ask


def test_a_gpu_pool_is_told_the_zones_to_write() -> None:
    asked = settings(cluster={"gpu_pools": {"t4": POOL}})
    assert refused(asked, azure(**{T4: sku(T4, ["3", "1"])})) == [
        (
            "cluster.gpu_pools.t4.zones: Standard_NC4as_T4_v3 is available in westeurope in zones [1, 3], not in [2];"
            " write cluster.gpu_pools.t4.zones: [1, 3]"
        )
    ]


def test_a_zone_that_the_subscription_may_not_use_counts_as_missing() -> None:
    asked = settings(cluster={"gpu_pools": {"t4": POOL}})
    (line,) = refused(asked, azure(**{T4: sku(T4, ["1", "2", "3"], restricted=["1"])}))
    assert line.endswith("write cluster.gpu_pools.t4.zones: [2, 3]")


def test_the_zones_of_the_pool_are_what_counts() -> None:
    asked = settings(cluster={"gpu_pools": {"t4": {**POOL, "zones": [3]}}})
    assert refused(asked, azure(**{T4: sku(T4, ["3"])})) == []


def test_the_clusters_own_pools_need_another_size() -> None:
    size = settings().cluster.workload_pool.vm_size
    lines = refused(settings(), azure(**{size: sku(size, ["1", "2"])}))
    assert any(line.startswith("cluster.workload_pool.vm_size") and "another size" in line for line in lines)


def test_where_azure_cannot_be_asked_nothing_is_refused() -> None:
    def nobody(*_arguments: str) -> list[Any]:
        raise OperatorError("az vm failed: Please run 'az login'")

    assert refused(settings(cluster={"gpu_pools": {"t4": POOL}}), nobody) == []


def test_an_environment_without_zones_asks_nothing() -> None:
    def never(*_arguments: str) -> list[Any]:
        raise AssertionError

    assert refused(settings(azure={"zones": []}), never) == []
