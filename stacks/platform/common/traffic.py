"""What may talk to whom in the cluster: every namespace denies all traffic, these flows are the exceptions.

How Cilium on AKS sees peers decides how they are written:

- Address ranges never match pods or nodes, only what lies outside the cluster
  (https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium, limitations). The Kubernetes API is outside.
- The API reaches webhooks through the tunnel's pods in `kube-system`, so that namespace is the caller.
- A pod that calls the front door's public address is sent straight to the controller's pod.
- The kubelet's probes come from the pod's own node, which is always let in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

ANYWHERE = "0.0.0.0/0"
ANY_NAMESPACE = "*"
MONITORING = "monitoring"
"""Namespace that metrics are scraped from."""


class Direction(StrEnum):
    """Seen from the pods that a flow applies to."""

    INGRESS = "ingress"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other side: pods of a namespace, of every one (`ANY_NAMESPACE`), or addresses outside the cluster."""

    namespace: str | None = None
    pods: dict[str, str] = field(default_factory=dict)
    """Labels of the peer's pods; empty means all of them."""
    cidr: str | None = None

    def __post_init__(self) -> None:
        if (self.namespace is None) == (self.cidr is None):
            raise ValueError("a peer is either pods of a namespace or an address range")


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the receiving pod, after any translation by a Service."""

    number: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One allowance of a namespace; its name stands in an annotation of the workload's NetworkPolicy."""

    name: str
    direction: Direction
    peers: tuple[Peer, ...]
    ports: tuple[Port, ...] = ()
    """Empty means every port."""
    pods: dict[str, str] = field(default_factory=dict)
    """Labels of the namespace's own pods that it applies to; empty means all of them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of a namespace, and every flow that applies to exactly them; its name is the NetworkPolicy's."""

    pods: dict[str, str]
    flows: tuple[Flow, ...]

    @property
    def name(self) -> str:
        """The values of its labels, or of a label that is only set or not, its name."""
        names = [key.rpartition("/")[2] if value == "true" else value for key, value in self.pods.items()]
        return "-".join(names) or "all-pods"

    def flows_of(self, direction: Direction) -> tuple[Flow, ...]:
        """Return the flows in one direction."""
        return tuple(flow for flow in self.flows if flow.direction is direction)


def workloads(flows: Sequence[Flow]) -> list[Workload]:
    """Group the flows of a namespace by the pods that they apply to. Raises ValueError where two names are equal."""
    selectors: list[dict[str, str]] = []
    for flow in flows:
        if flow.pods not in selectors:
            selectors.append(flow.pods)
    found = [Workload(pods, tuple(flow for flow in flows if flow.pods == pods)) for pods in selectors]
    names = [workload.name for workload in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"different pods of one namespace would share the policy name {', '.join(sorted(repeated))}")
    return found


DNS = Flow(
    name="allow-dns",
    direction=Direction.EGRESS,
    peers=(Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"}),),
    ports=(Port(53, "UDP"), Port(53)),
)

HTTPS_OUT = Flow(
    name="allow-https-out",
    direction=Direction.EGRESS,
    peers=(Peer(cidr=ANYWHERE),),
    ports=(Port(443),),
)
"""To the Kubernetes API, Entra, the vault and other services outside the cluster, whose addresses are not fixed."""


def webhook(port: int) -> Flow:
    """Calls of the Kubernetes API to an admission webhook."""
    return Flow(
        name="allow-webhook",
        direction=Direction.INGRESS,
        peers=(Peer(namespace="kube-system"),),
        ports=(Port(port),),
    )
