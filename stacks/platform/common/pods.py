"""What pods of engines have in common: the pool they run on, and the memory they may take of its nodes."""

import math

from stacks.platform.components.serving.engines import ServingEngine
from stacks.settings import Settings
from stacks.settings.catalog import GPU_SIZES
from stacks.settings.reservations import allocatable
from stacks.settings.rules.serving import DAEMONS_MEMORY_GIB

POOL_LABEL = "kubernetes.azure.com/agentpool"
"""Label by which AKS names the pool of every node."""


def on_pool(name: str) -> dict[str, str]:
    """Labels of the nodes of a pool."""
    return {POOL_LABEL: name}


def engine_memory_gib(settings: Settings, engine: ServingEngine) -> int:
    """Main memory that one replica may take: its GPUs' share of a node, at least what it asks for."""
    size = GPU_SIZES[engine.pool.vm_size]
    room = allocatable(size.vcpus, size.memory_gib, settings.cluster.max_pods_per_node).memory_gib - DAEMONS_MEMORY_GIB
    gpus = engine.leader.gpus
    share = room * gpus / (size.gpus * engine.pool.time_slices)
    return max(math.floor(share), settings.serving.memory_gib_per_gpu * gpus)
