"""The nodes that an environment's pools would have, for kwok to simulate."""

import math
from collections.abc import Iterator

from constructs.node_pool import SPOT
from stacks.platform.components.gpu.nodes import GPU_TAINT, gpu_node_labels
from stacks.settings.azure import AzureSettings
from stacks.settings.azure_catalog.reservations import allocatable
from stacks.settings.azure_catalog.sizes import parse_vm_size
from stacks.settings.cluster import ClusterSettings, GpuPoolSettings, Priority

from .api import Object

_GIB_PER_VCPU = {"E": 8, "F": 2, "M": 8}
"""By family of VM sizes; all others that pools may have come with 4 GiB for each vCPU."""


def nodes(cluster: ClusterSettings, azure: AzureSettings) -> Iterator[Object]:
    """Yield the nodes of every pool: as many as it may reach, since no autoscaler adds any here."""
    for name, pool in (("system", cluster.system_pool), ("workload", cluster.workload_pool)):
        taints = ["CriticalAddonsOnly=true:NoSchedule"] if name == "system" else []
        size = parse_vm_size(pool.vm_size)
        assert size is not None, f"{pool.vm_size} passed the settings"
        memory = size.vcpus * _GIB_PER_VCPU.get(size.family[0], 4)
        for number in range(pool.max_nodes):
            shape = (size.vcpus, memory)
            yield _node(cluster, azure, name, number, pool.vm_size, shape=shape, labels={}, taints=taints)
    for name, gpu_pool in cluster.gpu_pools.items():
        for number in range(gpu_pool.max_nodes):
            yield _gpu_node(cluster, azure, name, number, gpu_pool)


def _gpu_node(cluster: ClusterSettings, azure: AzureSettings, name: str, number: int, pool: GpuPoolSettings) -> Object:
    size = pool.known_size
    spot = pool.priority is Priority.SPOT
    labels = gpu_node_labels(pool) | ({SPOT: "spot"} if spot else {})
    taints = [GPU_TAINT, *([f"{SPOT}=spot:NoSchedule"] if spot else [])]
    return _node(
        cluster,
        azure,
        name,
        number,
        pool.vm_size,
        shape=(size.vcpus, size.memory_gib),
        labels=labels,
        taints=taints,
        gpus=size.gpus * pool.time_slices,
    )


def _node(
    cluster: ClusterSettings,
    azure: AzureSettings,
    pool: str,
    number: int,
    vm_size: str,
    *,
    shape: tuple[int, int],
    labels: dict[str, str],
    taints: list[str],
    gpus: int = 0,
) -> Object:
    name = f"aks-{pool}-{number:06}"
    zones = sorted(azure.zones) or [0]
    zone = f"{azure.region}-{zones[number % len(zones)]}"
    left = allocatable(*shape, cluster.max_pods_per_node)
    resources = {
        "cpu": f"{math.floor(left.cpu * 1000)}m",
        "memory": f"{math.floor(left.memory_gib * 1024)}Mi",
        "ephemeral-storage": "100Gi",
        "pods": str(cluster.max_pods_per_node),
        **({"nvidia.com/gpu": str(gpus)} if gpus else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "agentpool": pool,
                "kubernetes.azure.com/agentpool": pool,
                "kubernetes.azure.com/mode": "system" if pool == "system" else "user",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": vm_size,
                "topology.disk.csi.azure.com/zone": zone,
                "topology.kubernetes.io/region": azure.region,
                "topology.kubernetes.io/zone": zone,
                **labels,
            },
        },
        "spec": {"taints": [_taint(text) for text in taints]},
        "status": {"capacity": resources, "allocatable": resources},
    }


def _taint(text: str) -> dict[str, str]:
    pair, _, effect = text.partition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}
