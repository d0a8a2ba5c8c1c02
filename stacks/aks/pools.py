"""The node pools beside the system pool: one for the platform's own pods, and the GPU pools."""

from collections.abc import Collection

from constructs.node_pool import NodePool, NodePoolDefaults
from stacks.common.azure_names import rotation_pool_name
from stacks.common.base import EnvironmentStack
from stacks.common.outputs import NetworkOutputs
from stacks.platform.components.gpu.nodes import GPU_TAINT, gpu_node_labels, template_tags
from stacks.settings.cluster import ClusterSettings, Priority

WORKLOAD_POOL = "workload"


def add_pools(
    stack: EnvironmentStack,
    *,
    cluster: ClusterSettings,
    zones: Collection[int],
    cluster_id: str,
    network: NetworkOutputs,
) -> None:
    """Add the pools that the settings describe; `zones` are those of a pool that names none."""
    defaults = NodePoolDefaults(
        cluster_id=cluster_id,
        subnet_id=network.nodes_subnet_id,
        kubernetes_version=cluster.kubernetes_version,
        max_pods=cluster.max_pods_per_node,
        host_encryption=cluster.host_encryption,
        tags=stack.tags,
    )
    NodePool(
        stack,
        "workload-pool",
        name=WORKLOAD_POOL,
        rotation_name=rotation_pool_name(WORKLOAD_POOL),
        defaults=defaults,
        vm_size=cluster.workload_pool.vm_size,
        min_nodes=cluster.workload_pool.min_nodes,
        max_nodes=cluster.workload_pool.max_nodes,
        os_disk_gib=cluster.workload_pool.os_disk_gib,
        ephemeral_os_disk=cluster.workload_pool.ephemeral_os_disk,
        zones=[str(zone) for zone in sorted(zones)],
    )
    for name, pool in cluster.gpu_pools.items():
        # Only pods that ask for a GPU get there.
        NodePool(
            stack,
            f"gpu-pool-{name}",
            name=name,
            rotation_name=rotation_pool_name(name),
            defaults=defaults,
            vm_size=pool.vm_size,
            min_nodes=pool.min_nodes,
            max_nodes=pool.max_nodes,
            os_disk_gib=pool.os_disk_gib,
            ephemeral_os_disk=pool.ephemeral_os_disk,
            zones=[str(zone) for zone in sorted(zones if pool.zones is None else pool.zones)],
            spot=pool.priority is Priority.SPOT,
            max_price_usd_per_hour=pool.max_price_usd_per_hour,
            nvidia_driver=True,
            mig_profile=pool.gpu.mig if pool.gpu else None,
            labels=gpu_node_labels(pool),
            taints=[GPU_TAINT],
            tags=template_tags(pool),
        )
