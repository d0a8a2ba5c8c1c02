"""Blocks of the cluster resource, each a pure function of settings."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from cdktf_cdktf_provider_azurerm.kubernetes_cluster import (
    KubernetesClusterApiServerAccessProfile,
    KubernetesClusterAutoScalerProfile,
    KubernetesClusterHttpProxyConfig,
    KubernetesClusterMaintenanceWindow,
    KubernetesClusterMaintenanceWindowAllowed,
    KubernetesClusterMaintenanceWindowAutoUpgrade,
    KubernetesClusterMaintenanceWindowNodeOs,
    KubernetesClusterNetworkProfile,
    KubernetesClusterNetworkProfileLoadBalancerProfile,
)

from stacks.common.maintenance import allowed_hours
from stacks.settings.azure import OperatorSettings
from stacks.settings.cluster import ApiAccess, ClusterSettings, MaintenanceSettings
from stacks.settings.egress import EgressProxySettings
from stacks.settings.estimates.cold_start import NEXT_POOL_MINUTES
from stacks.settings.monitoring import MetricsStore, MonitoringSettings
from stacks.settings.network import IngressMode, IngressSettings, NetworkSettings, Outbound

CLUSTER_DNS_HOST = 10
"""Position of the cluster DNS in the service range."""


def is_minor(version: str) -> bool:
    """Whether a Kubernetes version leaves the patch to AKS, as `1.36` does and `1.36.3` does not."""
    return version.count(".") == 1


def upgrade_channel(cluster: ClusterSettings) -> str | None:
    """Patches of Kubernetes come by themselves, unless the file names one or holds them back.

    The channel would raise an exact patch version at once, and the next plan would take that back.
    """
    return "patch" if is_minor(cluster.kubernetes_version) and not cluster.maintenance.held else None


def has_gateway(ingress: IngressSettings) -> bool:
    """Whether an Application Gateway is the ingress."""
    return ingress.mode is IngressMode.APPLICATION_GATEWAY


def api_access(
    cluster: ClusterSettings, operators: OperatorSettings, nat_address: str | None
) -> KubernetesClusterApiServerAccessProfile | None:
    """Return who may reach a public API; None for a private one, which Azure refuses to restrict, and for everybody.

    Azure adds the cluster's own outgoing address by itself only behind its load balancer; `nat_address` is the one
    that it has behind a NAT gateway.
    """
    ranges = {*operators.ip_ranges, *cluster.api_authorized_ranges}
    if cluster.api_access is ApiAccess.PRIVATE or not ranges:
        return None
    allowed = [str(range_) for range_ in sorted(ranges)]
    if nat_address is not None:
        allowed.append(f"{nat_address}/32")
    return KubernetesClusterApiServerAccessProfile(authorized_ip_ranges=allowed)


def network(settings: NetworkSettings, *, outbound_ip_id: str) -> KubernetesClusterNetworkProfile:
    """Azure CNI Overlay with Cilium as data plane and policy engine; traffic leaves from the environment's address."""
    nat_gateway = settings.outbound is Outbound.NAT_GATEWAY
    return KubernetesClusterNetworkProfile(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_data_plane="cilium",
        network_policy="cilium",
        load_balancer_sku="standard",
        outbound_type="userAssignedNATGateway" if nat_gateway else "loadBalancer",
        load_balancer_profile=(
            None
            if nat_gateway
            else KubernetesClusterNetworkProfileLoadBalancerProfile(
                outbound_ip_address_ids=[outbound_ip_id], outbound_ports_allocated=settings.outbound_ports_per_node
            )
        ),
        pod_cidr=str(settings.pod_cidr),
        service_cidr=str(settings.service_cidr),
        dns_service_ip=str(settings.service_cidr[CLUSTER_DNS_HOST]),
    )


def http_proxy(
    proxy: EgressProxySettings | None, *, no_proxy: Sequence[str], company_roots: Sequence[str]
) -> KubernetesClusterHttpProxyConfig | None:
    """The proxy of the nodes, which AKS also names to every pod that names none itself; None without a proxy.

    Both addresses are given: Azure fills in what is left out, and every plan would then differ
    (https://github.com/hashicorp/terraform-provider-azurerm/issues/24188).
    """
    if proxy is None:
        return None
    return KubernetesClusterHttpProxyConfig(
        http_proxy=proxy.url,
        https_proxy=proxy.url,
        no_proxy=list(no_proxy),
        trusted_ca=base64_text("".join(company_roots)) if company_roots else None,
    )


def base64_text(text: str) -> str:
    """As Azure takes certificates."""
    return b64encode(text.encode()).decode()


def autoscaler(longest_grace_seconds: int, *, pools_in_order: bool) -> KubernetesClusterAutoScalerProfile:
    """Prefer the pool that wastes least, and let idle GPU nodes go although caches lie on their disks.

    With `pools_in_order` the pools have an order instead, which the ConfigMap of `gpu/order.py` says, and a pool whose
    node does not come is given up sooner for the next. `longest_grace_seconds` is how long a pod may take to end on a
    node that is taken away.
    """
    return KubernetesClusterAutoScalerProfile(
        expander="priority" if pools_in_order else "least-waste",
        scale_down_unneeded="10m",
        scale_down_delay_after_add="10m",
        scale_down_utilization_threshold="0.5",
        # GPU nodes take many minutes to come up with their driver.
        max_node_provisioning_time=f"{NEXT_POOL_MINUTES if pools_in_order else 20}m",
        # Answers and held requests on a node that is taken away are let end.
        max_graceful_termination_sec=str(longest_grace_seconds),
        skip_nodes_with_local_storage=False,
        skip_nodes_with_system_pods=True,
        ignore_daemonsets_utilization_enabled=True,
        daemonset_eviction_for_empty_nodes_enabled=False,
        daemonset_eviction_for_occupied_nodes_enabled=True,
    )


def planned_maintenance(window: MaintenanceSettings) -> KubernetesClusterMaintenanceWindow:
    """When AKS may roll out its own releases, in whole UTC hours."""
    return KubernetesClusterMaintenanceWindow(
        allowed=[
            KubernetesClusterMaintenanceWindowAllowed(day=day, hours=hours)
            for day, hours in allowed_hours(window).items()
        ]
    )


def cluster_window(window: MaintenanceSettings) -> KubernetesClusterMaintenanceWindowAutoUpgrade:
    """When the patch channel may upgrade Kubernetes."""
    return KubernetesClusterMaintenanceWindowAutoUpgrade(**_weekly(window))


def node_window(window: MaintenanceSettings) -> KubernetesClusterMaintenanceWindowNodeOs:
    """When nodes may get a new image."""
    return KubernetesClusterMaintenanceWindowNodeOs(**_weekly(window))


def _weekly(window: MaintenanceSettings) -> dict[str, Any]:
    """Arguments of both: one window of the settings, each week."""
    return {
        "frequency": "Weekly",
        "interval": 1,
        "day_of_week": window.day,
        "start_time": window.start_time,
        "utc_offset": window.utc_offset,
        "duration": window.duration_hours,
    }


def scrapes_for_azure(monitoring: MonitoringSettings) -> bool:
    """Whether Azure's add-on collects the metrics of the cluster."""
    return monitoring.enabled and monitoring.metrics is MetricsStore.AZURE_MONITOR
