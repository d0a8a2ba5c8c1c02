"""Node pools beside the system pool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.kubernetes_cluster_node_pool import (
    KubernetesClusterNodePool,
    KubernetesClusterNodePoolUpgradeSettings,
)
from constructs import Construct

SPOT = "kubernetes.azure.com/scalesetpriority"
"""AKS labels and taints spot nodes with it; left unstated, every plan would want to take both away."""

MAX_SURGE = "10%"
DRAIN_TIMEOUT_MINUTES = 30
"""Stated because Azure and the provider have different defaults, and dropping it later would replace the pool."""
NODE_SOAK_MINUTES = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePoolDefaults:
    """What all pools of a cluster have in common."""

    cluster_id: str
    subnet_id: str
    kubernetes_version: str
    max_pods: int
    host_encryption: bool
    tags: Mapping[str, str]


class NodePool(KubernetesClusterNodePool):
    """A pool of Linux nodes that the autoscaler sizes, without public addresses.

    What Azure cannot change on a pool is changed through a temporary pool, never by replacing the cluster; only
    `spot` and the maximum price replace the pool itself.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        rotation_name: str,
        defaults: NodePoolDefaults,
        vm_size: str,
        min_nodes: int,
        max_nodes: int,
        os_disk_gib: int,
        ephemeral_os_disk: bool,
        zones: Sequence[str],
        spot: bool = False,
        max_price_usd_per_hour: float | None = None,
        nvidia_driver: bool = False,
        mig_profile: str | None = None,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add the pool.

        `rotation_name` is the temporary pool's name. A `spot` pool without a maximum
        price pays up to the regular one. `nvidia_driver` has Azure install its driver on every node,
        and `mig_profile` cut every card into parts, which replaces the pool when it changes.
        """
        super().__init__(
            scope,
            id_,
            name=name,
            kubernetes_cluster_id=defaults.cluster_id,
            mode="User",
            os_type="Linux",
            os_sku="Ubuntu",
            orchestrator_version=defaults.kubernetes_version,
            vm_size=vm_size,
            gpu_driver="Install" if nvidia_driver else None,
            gpu_instance=mig_profile,
            zones=list(zones) or None,
            vnet_subnet_id=defaults.subnet_id,
            node_public_ip_enabled=False,
            auto_scaling_enabled=True,
            min_count=min_nodes,
            max_count=max_nodes,
            max_pods=defaults.max_pods,
            os_disk_size_gb=os_disk_gib,
            os_disk_type="Ephemeral" if ephemeral_os_disk else "Managed",
            host_encryption_enabled=defaults.host_encryption,
            temporary_name_for_rotation=rotation_name,
            priority="Spot" if spot else "Regular",
            eviction_policy="Delete" if spot else None,
            spot_max_price=_max_price(max_price_usd_per_hour) if spot else None,
            node_labels={**(labels or {}), **({SPOT: "spot"} if spot else {})},
            node_taints=[*taints, *([f"{SPOT}=spot:NoSchedule"] if spot else [])],
            # Azure refuses every upgrade setting on a spot pool but may report some.
            upgrade_settings=None if spot else _upgrade_settings(),
            tags={**defaults.tags, **(tags or {})},
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["node_count", "upgrade_settings"] if spot else ["node_count"]
            ),
        )


def _max_price(usd_per_hour: float | None) -> float:
    return -1 if usd_per_hour is None else usd_per_hour


def _upgrade_settings() -> KubernetesClusterNodePoolUpgradeSettings:
    return KubernetesClusterNodePoolUpgradeSettings(
        max_surge=MAX_SURGE,
        drain_timeout_in_minutes=DRAIN_TIMEOUT_MINUTES,
        node_soak_duration_in_minutes=NODE_SOAK_MINUTES,
    )
