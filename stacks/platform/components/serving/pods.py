"""Main memory that the pods of an engine may take of their nodes."""

import math

from stacks.settings.azure_catalog.reservations import allocatable
from stacks.settings.cluster import ClusterSettings
from stacks.settings.rules.serving import DAEMONS_MEMORY_GIB
from stacks.settings.serving import ServingSettings

from .engines import ServingEngine


def engine_memory_gib(cluster: ClusterSettings, serving: ServingSettings, engine: ServingEngine) -> int:
    """Main memory that one replica may take: its GPUs' share of a node, at least what it asks for."""
    size = engine.pool.known_size
    room = allocatable(size.vcpus, size.memory_gib, cluster.max_pods_per_node).memory_gib - DAEMONS_MEMORY_GIB
    gpus = engine.leader.gpus
    share = room * gpus / (size.gpus * engine.pool.time_slices)
    return max(math.floor(share), serving.memory_gib_per_gpu * gpus + engine.leader.kv_offload_gib)
