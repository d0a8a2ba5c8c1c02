"""Node pools beside the system pool: one for ordinary work, any number for GPUs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.kubernetes_cluster_node_pool import (
    KubernetesClusterNodePool,
    KubernetesClusterNodePoolUpgradeSettings,
)
from constructs import Construct

from stacks.common.azure_names import rotation_pool_name
from stacks.platform.components.gpu.nodes import GPU_TAINT, gpu_node_labels, template_tags
from stacks.settings.cluster import GpuPoolSettings, Priority, WorkloadPoolSettings

SPOT = "kubernetes.azure.com/scalesetpriority"
"""AKS labels and taints spot nodes with it; left unstated, every plan would want to take both away."""

MAX_SURGE = "10%"
DRAIN_TIMEOUT_MINUTES = 30
"""Stated because Azure and the provider have different defaults, and dropping it later would replace the pool."""
NODE_SOAK_MINUTES = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFrame:
    """What all pools of a cluster have in common."""

    cluster_id: str
    subnet_id: str
    kubernetes_version: str
    max_pods: int
    host_encryption: bool
    tags: Mapping[str, str]


class NodePool(KubernetesClusterNodePool):
    """A pool of Linux nodes that the autoscaler sizes, without public addresses.

    What Azure cannot change on a pool is changed by a stand-in pool, never by replacing the cluster; only `priority`
    and `max_price` replace the pool itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        frame: PoolFrame,
        pool: WorkloadPoolSettings | GpuPoolSettings,
        zones: Sequence[str],
        spot: bool = False,
        max_price: float = -1,
        gpu_driver: str | None = None,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name=name,
            kubernetes_cluster_id=frame.cluster_id,
            mode="User",
            os_type="Linux",
            os_sku="Ubuntu",
            orchestrator_version=frame.kubernetes_version,
            vm_size=pool.vm_size,
            gpu_driver=gpu_driver,
            zones=list(zones) or None,
            vnet_subnet_id=frame.subnet_id,
            node_public_ip_enabled=False,
            auto_scaling_enabled=True,
            min_count=pool.min_nodes,
            max_count=pool.max_nodes,
            max_pods=frame.max_pods,
            os_disk_size_gb=pool.os_disk_gib,
            os_disk_type="Ephemeral" if pool.ephemeral_os_disk else "Managed",
            host_encryption_enabled=frame.host_encryption,
            temporary_name_for_rotation=rotation_pool_name(name),
            priority="Spot" if spot else "Regular",
            eviction_policy="Delete" if spot else None,
            spot_max_price=max_price if spot else None,
            node_labels={**(labels or {}), **({SPOT: "spot"} if spot else {})},
            node_taints=[*taints, *([f"{SPOT}=spot:NoSchedule"] if spot else [])],
            # Azure refuses every upgrade setting on a spot pool but may report some.
            upgrade_settings=None if spot else _upgrade_settings(),
            tags={**frame.tags, **(tags or {})},
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["node_count", "upgrade_settings"] if spot else ["node_count"]
            ),
        )


class GpuNodePool(NodePool):
    """GPU nodes that only take pods which ask for them, with Azure's NVIDIA driver, from zero nodes on."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        frame: PoolFrame,
        pool: GpuPoolSettings,
        zones: Sequence[str],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name=name,
            frame=frame,
            pool=pool,
            zones=zones,
            spot=pool.priority is Priority.SPOT,
            max_price=-1 if pool.max_price_usd_per_hour is None else pool.max_price_usd_per_hour,
            gpu_driver="Install",
            labels=gpu_node_labels(pool),
            taints=[GPU_TAINT],
            tags=template_tags(pool),
        )


def _upgrade_settings() -> KubernetesClusterNodePoolUpgradeSettings:
    return KubernetesClusterNodePoolUpgradeSettings(
        max_surge=MAX_SURGE,
        drain_timeout_in_minutes=DRAIN_TIMEOUT_MINUTES,
        node_soak_duration_in_minutes=NODE_SOAK_MINUTES,
    )
