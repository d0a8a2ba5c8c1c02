"""Nodes that the pods of an engine run on, and the main memory that they may take of them."""

import math
from typing import Any

from stacks.platform.common.pods import POOL_LABEL, on_pool
from stacks.settings.azure_catalog.reservations import allocatable
from stacks.settings.cluster import ClusterSettings, GpuPoolSettings
from stacks.settings.rules.serving import DAEMONS_MEMORY_GIB
from stacks.settings.serving import ServingSettings

from .engines import ServingEngine


def placement(engine: ServingEngine) -> dict[str, Any]:
    """Values that bring its pods to nodes of its pools, to those of the first where several have room.

    Which of several pools gets a node is the cluster autoscaler's choice, by its own order (`gpu/order.py`): it looks
    at what is required, not at what is preferred.
    """
    if len(engine.pool_names) == 1:
        return {"nodeSelector": on_pool(engine.pool_names[0])}
    preferred = [
        {"weight": 100 // 4**place, "preference": _of(name)} for place, name in enumerate(engine.pool_names[:-1])
    ]
    return {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_of(*engine.pool_names)]},
                "preferredDuringSchedulingIgnoredDuringExecution": preferred,
            }
        }
    }


def _of(*pools: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": POOL_LABEL, "operator": "In", "values": list(pools)}]}


def engine_memory_gib(cluster: ClusterSettings, serving: ServingSettings, engine: ServingEngine) -> int:
    """Main memory that one replica may take: its GPUs' share of the smallest node, at least what it asks for."""
    gpus = engine.leader.gpus
    share = min(_share_gib(pool, gpus, cluster.max_pods_per_node) for pool in engine.pools)
    return max(math.floor(share), serving.memory_gib_per_gpu * gpus + engine.leader.kv_offload_gib)


def _share_gib(pool: GpuPoolSettings, gpus: int, most_pods: int) -> float:
    size = pool.known_size
    room = allocatable(size.vcpus, size.memory_gib, most_pods).memory_gib - DAEMONS_MEMORY_GIB
    return room * gpus / (size.gpus * pool.time_slices)
