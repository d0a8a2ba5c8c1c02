"""Cluster and node pools."""

import re
from collections.abc import Iterator

from ..azure_catalog.sizes import GPU_SIZES, UNSUPPORTED_SIZES, parse_vm_size, retired_in_favour_of, sold_as
from ..cluster import ClusterSettings, GpuPoolSettings, Priority, SystemPoolSettings, WorkloadPoolSettings
from ..environment import Settings
from ..estimates import capacity
from ..file.errors import Key
from ..monitoring import MetricsStore, MonitoringSettings
from .base import Finding
from .network import largest_node_count

TESTED_KUBERNETES = ("1.35", "1.36")
"""Minor versions that the charts were tested with and AKS supports; 1.34 leaves support on 2026-11-30.

Before 1.37 joins: its nodes answer names themselves unless told otherwise (LocalDNS of AKS), at an address that is the
node's under Cilium. Only a rule without peers matches that, so the traffic rule for DNS has to change first.
"""
SMALLEST_SYSTEM_VCPUS = 4
SMALLEST_VCPUS = 2
"""Microsoft Learn, "Quotas, virtual machine size restrictions, and region availability in AKS"."""
RESERVED_POOL_NAMES = ("system", "workload", "default")
MOST_NODES = {"Free": 1000, "Standard": 5000, "Premium": 5000}
"""Nodes of a cluster by price tier (Microsoft Learn, AKS pricing tiers)."""

Pool = SystemPoolSettings | WorkloadPoolSettings | GpuPoolSettings


def _pools(cluster: ClusterSettings) -> Iterator[tuple[Key, Pool]]:
    yield ("cluster", "system_pool"), cluster.system_pool
    yield ("cluster", "workload_pool"), cluster.workload_pool
    for name, pool in cluster.gpu_pools.items():
        yield ("cluster", "gpu_pools", name), pool


def node_counts_are_ordered(cluster: ClusterSettings) -> Iterator[Finding]:
    """A pool's maximum is at least its minimum."""
    for key, pool in _pools(cluster):
        if pool.max_nodes < pool.min_nodes:
            yield Finding((*key, "max_nodes"), f"must be at least min_nodes ({pool.min_nodes})")


def workload_pool_holds_its_pods(settings: Settings) -> Iterator[Finding]:
    """What the platform asks for at its smallest fits into the workload pool at its largest."""
    started, pool = capacity.nodes(settings), settings.cluster.workload_pool
    if started is not None and started > pool.max_nodes:
        asked = capacity.total(settings)
        yield Finding(
            ("cluster", "workload_pool", "max_nodes"),
            f"must be at least {started}: pods ask for {asked.cpu:.1f} cores and {asked.memory_gib:.1f} GiB, and some"
            f" would wait for ever; raise it, or take larger nodes than {pool.vm_size}",
        )


def prometheus_fits_on_a_node(cluster: ClusterSettings, monitoring: MonitoringSettings) -> Iterator[Finding]:
    """Prometheus may take no more memory than a node of the workload pool has for pods."""
    room = capacity.room_of_a_node(cluster)
    used = monitoring.enabled and monitoring.metrics is MetricsStore.PROMETHEUS
    if room and used and monitoring.prometheus_memory_gib > room.memory_gib:
        yield Finding(
            ("monitoring", "prometheus_memory_gib"),
            f"is more than the {room.memory_gib:.1f} GiB that a {cluster.workload_pool.vm_size} leaves for"
            " pods (cluster.workload_pool.vm_size); lower it, or take larger nodes",
        )


def off_hours_leave_work_and_rest(cluster: ClusterSettings) -> Iterator[Finding]:
    """A cluster that is stopped at times is started at others."""
    hours = cluster.off_hours
    if hours.enabled and not 0 < hours.share() < 1:
        always = "never runs" if not hours.days else "never stops"
        yield Finding(
            ("cluster", "off_hours", "days" if not hours.days else "stop"),
            f"means that the cluster {always}; change it, or set cluster.off_hours.enabled: false",
        )


def node_count_suits_the_tier(cluster: ClusterSettings) -> Iterator[Finding]:
    """All pools together stay below the limit of the price tier."""
    nodes = largest_node_count(cluster)
    limit = MOST_NODES[cluster.tier]
    if nodes > limit:
        yield Finding(
            ("cluster", "tier"), f"takes {limit} nodes, but the pools reach {nodes} during upgrades; lower max_nodes"
        )


def kubernetes_version_is_tested(cluster: ClusterSettings) -> Iterator[Finding]:
    """The version is one that AKS supports and the charts were tested with, or the file says it need not be."""
    minor = ".".join(cluster.kubernetes_version.split(".")[:2])
    if minor not in TESTED_KUBERNETES and not cluster.allow_untested_kubernetes_version:
        yield Finding(
            ("cluster", "kubernetes_version"),
            f"is not among the tested versions {', '.join(TESTED_KUBERNETES)}; use one of them, or set"
            " cluster.allow_untested_kubernetes_version: true",
        )


def tier_carries_the_features(cluster: ClusterSettings) -> Iterator[Finding]:
    """Long-term support and cost analysis are sold with certain tiers only."""
    if cluster.long_term_support and cluster.tier != "Premium":
        yield Finding(("cluster", "long_term_support"), "needs cluster.tier: Premium")
    if cluster.cost_analysis and cluster.tier == "Free":
        yield Finding(("cluster", "cost_analysis"), "needs cluster.tier: Standard or Premium")


def ordinary_sizes_suit_their_pools(cluster: ClusterSettings) -> Iterator[Finding]:
    """System and workload pool have x86-64 sizes without GPU, the system pool with enough processors."""
    for name in ("system_pool", "workload_pool"):
        size: str = getattr(cluster, name).vm_size
        key: Key = ("cluster", name, "vm_size")
        if size in GPU_SIZES or retired_in_favour_of(size) or size.startswith(("Standard_NC", "Standard_ND")):
            yield Finding(key, "is a GPU size; GPUs belong into cluster.gpu_pools, take one such as Standard_D4ds_v5")
            continue
        parsed = parse_vm_size(size)
        if parsed is None:
            yield Finding(key, "is no VM size (Standard_, family, vCPU, features, version); take Standard_D4ds_v5")
            continue
        if near := sold_as(size):
            yield Finding(key, f"is no VM size: Azure sells none with {parsed.vcpus} vCPU; did you mean {near}?")
            continue
        if parsed.vcpus < SMALLEST_VCPUS:
            yield Finding(key, f"has {parsed.vcpus} vCPU, AKS asks for {SMALLEST_VCPUS}; take Standard_D4ds_v5")
            continue
        if parsed.arm:
            yield Finding(key, "has an Arm processor, but the images are built for x86-64; drop the p from the size")
        if name == "system_pool" and parsed.vcpus < SMALLEST_SYSTEM_VCPUS:
            yield Finding(
                key,
                f"has {parsed.vcpus} vCPU, AKS asks for {SMALLEST_SYSTEM_VCPUS} in system pools; take Standard_D4ds_v5",
            )


def gpu_sizes_are_sold(cluster: ClusterSettings) -> Iterator[Finding]:
    """A GPU pool has a known GPU size that Azure still sells."""
    for name, pool in cluster.gpu_pools.items():
        key: Key = ("cluster", "gpu_pools", name, "vm_size")
        successor = retired_in_favour_of(pool.vm_size)
        unsupported = next((why for size, why in UNSUPPORTED_SIZES.items() if re.fullmatch(size, pool.vm_size)), None)
        if successor:
            yield Finding(key, f"is retired; take {successor}")
        elif unsupported:
            yield Finding(key, f"{unsupported}; take one of {', '.join(GPU_SIZES)}")
        elif pool.size is None:
            yield Finding(
                key, f"is no known GPU size; take one of {', '.join(GPU_SIZES)}, or say what it has in gpu beside it"
            )


def ephemeral_disks_fit(cluster: ClusterSettings) -> Iterator[Finding]:
    """An ephemeral operating system disk fits on the VM's local disk."""
    for key, pool in _pools(cluster):
        gpu, named = GPU_SIZES.get(pool.vm_size), parse_vm_size(pool.vm_size)
        local = gpu.local_disk_gib if gpu else named.local_disk_gib if named else None
        if not pool.ephemeral_os_disk or local is None:
            continue
        if local == 0:
            yield Finding(
                (*key, "ephemeral_os_disk"),
                f"needs a local disk, which {pool.vm_size} lacks; take one such as Standard_D4ds_v5, or write false",
            )
        elif pool.os_disk_gib > local:
            yield Finding(
                (*key, "os_disk_gib"),
                f"must be at most {local:g}, the local disk of {pool.vm_size}; or set ephemeral_os_disk: false",
            )


def gpu_pools_are_consistent(cluster: ClusterSettings) -> Iterator[Finding]:
    """Names are free and price limits stand with spot pools only."""
    for name, pool in cluster.gpu_pools.items():
        key: Key = ("cluster", "gpu_pools", name)
        if name in RESERVED_POOL_NAMES:
            yield Finding(key, "is the name of a pool that the platform makes itself; rename it")
        if pool.max_price_usd_per_hour is not None and pool.priority is not Priority.SPOT:
            yield Finding(
                (*key, "max_price_usd_per_hour"), "applies to spot pools only; remove it or set priority: spot"
            )


RULES = (
    node_counts_are_ordered,
    workload_pool_holds_its_pods,
    prometheus_fits_on_a_node,
    off_hours_leave_work_and_rest,
    node_count_suits_the_tier,
    kubernetes_version_is_tested,
    tier_carries_the_features,
    ordinary_sizes_suit_their_pools,
    gpu_sizes_are_sold,
    ephemeral_disks_fit,
    gpu_pools_are_consistent,
)
