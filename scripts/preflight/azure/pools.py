"""The node pools that an environment file asks for, as Azure counts them."""

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.settings.azure import AzureSettings
from stacks.settings.cluster import ClusterSettings, Priority


@dataclass(frozen=True)
class Pool:
    """One pool."""

    key: str
    """Its section of the environment file."""
    size: str
    least: int
    """Nodes with which it is of use: those that are always there; one GPU node where none is."""
    most: int
    zones: tuple[int, ...]
    zones_key: str
    """Key that chooses its zones alone, empty where it has those of the environment."""
    os_disk_gib: int
    ephemeral_os_disk: bool
    spot: bool = False


def pools(cluster: ClusterSettings, azure: AzureSettings) -> Iterator[Pool]:
    """Yield every pool of the cluster."""
    zones = tuple(azure.zones)
    for key, own in (("system_pool", cluster.system_pool), ("workload_pool", cluster.workload_pool)):
        yield Pool(
            f"cluster.{key}",
            own.vm_size,
            own.min_nodes,
            own.max_nodes,
            zones,
            "",
            own.os_disk_gib,
            own.ephemeral_os_disk,
        )
    for name, pool in cluster.gpu_pools.items():
        yield Pool(
            f"cluster.gpu_pools.{name}",
            pool.vm_size,
            max(1, pool.min_nodes),
            pool.max_nodes,
            zones if pool.zones is None else tuple(pool.zones),
            f"cluster.gpu_pools.{name}.zones",
            pool.os_disk_gib,
            pool.ephemeral_os_disk,
            pool.priority is Priority.SPOT,
        )
