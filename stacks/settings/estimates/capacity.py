"""What the pods on the workload pool ask for, and how many of its nodes that starts.

The scheduler counts requests, not use: a pool whose minimum is smaller grows at the first deployment and stays there.
Figures are those of the charts' values (`helm/`); a test renders the charts and compares.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from stacks.settings.cluster import ClusterSettings

from ..azure_catalog.reservations import allocatable
from ..azure_catalog.sizes import parse_vm_size
from ..environment import Settings
from ..monitoring import MetricsStore
from ..network import IngressMode
from ..opik import OpikProfile

GIB_PER_VCPU = {"D": 4, "E": 8, "F": 2}
"""Memory of the common families of VM sizes (Microsoft Learn, "Sizes for virtual machines")."""
NODE_CPU = 0.5
"""Cores that the pods of every node ask for: network, storage drivers, log and metrics collectors."""
NODE_MEMORY_GIB = 1.5


@dataclass(frozen=True, slots=True)
class Request:
    """Processor and memory that pods ask for."""

    cpu: float
    """Cores."""
    memory_gib: float

    def times(self, pods: int) -> "Request":
        """Return what so many of these ask for."""
        return Request(self.cpu * pods, self.memory_gib * pods)


_OPIK = {OpikProfile.SMALL: Request(0.78, 9.6), OpikProfile.STANDARD: Request(2.9, 24.7)}
"""Stores, front end and operator; the backend itself is counted by its replicas."""
_OPIK_EVALUATORS = {OpikProfile.SMALL: Request(0.1, 0.5), OpikProfile.STANDARD: Request(0.5, 1)}
_OPIK_BACKEND = {OpikProfile.SMALL: Request(0.25, 1), OpikProfile.STANDARD: Request(1, 3)}


def requests(settings: Settings) -> Mapping[str, Request]:
    """What each part of the platform asks for at its smallest number of pods, without jobs and GPU nodes."""
    chat, gateway, opik = settings.chat, settings.gateway, settings.opik
    twice = settings.cluster.tier != "Free"
    pods = 2 if twice else 1
    parts = {
        "controllers": Request(0.15, 0.91) if twice else Request(0.08, 0.5),
        "ingress": Request(0.1, 0.25).times(settings.ingress.nginx_replicas)
        if settings.ingress.mode is IngressMode.NGINX
        else None,
        "chat": _sum(Request(chat.cpu + 0.01, chat.memory_gib + 0.03).times(chat.replicas), Request(0.03, 0.06))
        if chat.enabled
        else None,
        "gateway": _sum(
            (Request(1.03, 2.25) if twice else Request(0.53, 1.25)).times(gateway.replicas), Request(0.01, 0.06)
        )
        if gateway.enabled
        else None,
        "opik": _sum(
            _OPIK[opik.profile],
            *([_OPIK_EVALUATORS[opik.profile]] if opik.python_evaluators else []),
            _OPIK_BACKEND[opik.profile].times(opik.replicas),
            Request(0.02, 0.06).times(opik.login_replicas + 1),
        )
        if opik.enabled
        else None,
        "serving": _sum(Request(0.09, 0.25), Request(0.05, 0.06).times(pods)) if settings.models else None,
        "monitoring": _sum(Request(0.08, 0.34), Request(0.21, 1.56).times(pods))
        if settings.monitoring.enabled and settings.monitoring.metrics is MetricsStore.PROMETHEUS
        else None,
    }
    return {name: part for name, part in parts.items() if part}


def total(settings: Settings) -> Request:
    """What all of them ask for together."""
    return _sum(*requests(settings).values())


def room_of_a_node(cluster: ClusterSettings) -> Request | None:
    """What a node of the workload pool has for our pods; None for a size whose memory is not known here."""
    size = parse_vm_size(cluster.workload_pool.vm_size)
    if size is None or size.family not in GIB_PER_VCPU:
        return None
    left = allocatable(size.vcpus, size.vcpus * GIB_PER_VCPU[size.family], cluster.max_pods_per_node)
    return Request(left.cpu - NODE_CPU, left.memory_gib - NODE_MEMORY_GIB)


def nodes(settings: Settings) -> int | None:
    """How many nodes of the workload pool start for them; None for a size whose memory is not known here."""
    room, asked = room_of_a_node(settings.cluster), total(settings)
    if room is None:
        return None
    return max(math.ceil(asked.cpu / room.cpu), math.ceil(asked.memory_gib / room.memory_gib))


def report(settings: Settings) -> str | None:
    """One sentence for whoever pays for the nodes; None where nothing is known of their size."""
    started = nodes(settings)
    if started is None:
        return None
    pool, asked = settings.cluster.workload_pool, total(settings)
    parts = ", ".join(f"{name} {part.memory_gib:.1f}" for name, part in requests(settings).items())
    least = f"min_nodes {pool.min_nodes} is fewer" if started > pool.min_nodes else f"min_nodes is {pool.min_nodes}"
    return (
        f"the workload pool starts with {max(started, pool.min_nodes)} nodes of {pool.vm_size} ({least}): pods ask for"
        f" {asked.cpu:.1f} cores and {asked.memory_gib:.1f} GiB ({parts})"
    )


def _sum(*parts: Request) -> Request:
    return Request(sum(part.cpu for part in parts), sum(part.memory_gib for part in parts))
