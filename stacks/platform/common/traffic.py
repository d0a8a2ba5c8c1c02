"""Which pods may talk to whom: every namespace denies all traffic, and traffic rules are the exceptions.

How Cilium on AKS sees peers decides how they are written:

- Address ranges never match pods or nodes, only what lies outside the cluster
  (https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium, limitations). The Kubernetes API is outside.
- The API reaches webhooks through the tunnel's pods in `kube-system`, so that namespace is the caller.
- A pod that calls the public address of the ingress is sent straight to the controller's pod.
- The kubelet's probes come from the pod's own node, which is always let in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

ANYWHERE = "0.0.0.0/0"
ANY_NAMESPACE = "*"
MONITORING = "monitoring"
"""Namespace that metrics are scraped from."""
CHALLENGE = "allow-challenge"
"""Rule of every application's namespace that lets the ingress ask for challenges of certificates."""


class Direction(StrEnum):
    """Seen from the pods that a rule applies to."""

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


class WayOut(StrEnum):
    """Whom a rule for HTTPS outside the cluster is for; no address range can tell them apart."""

    INTERNET = "internet"
    KUBERNETES_API = "kubernetes-api"
    INTERNET_AND_API = "internet-and-api"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRule:
    """One allowance of a namespace; its name stands in an annotation of the workload's NetworkPolicy."""

    name: str
    direction: Direction
    peers: tuple[Peer, ...]
    """Empty means everybody."""
    ports: tuple[Port, ...] = ()
    """Empty means every port."""
    pods: dict[str, str] = field(default_factory=dict)
    """Labels of the namespace's own pods that it applies to; empty means all of them."""
    way_out: WayOut | None = None
    """Set for HTTPS outside the cluster; what an egress proxy makes of it: `egress.by_proxy`."""


def allow_from(name: str, pods: Mapping[str, str], peers: Sequence[Peer], *ports: int) -> TrafficRule:
    """Let `peers` reach TCP `ports` of `pods`."""
    return _rule(name, Direction.INGRESS, pods, peers, ports)


def allow_to(name: str, pods: Mapping[str, str], peers: Sequence[Peer], *ports: int) -> TrafficRule:
    """Let `pods` reach TCP `ports` of `peers`."""
    return _rule(name, Direction.EGRESS, pods, peers, ports)


def allow_https_out(name: str, pods: Mapping[str, str], way: WayOut = WayOut.INTERNET) -> TrafficRule:
    """Let `pods` reach HTTPS outside the cluster."""
    return replace(allow_to(name, pods, (Peer(cidr=ANYWHERE),), 443), way_out=way)


def _rule(
    name: str, direction: Direction, pods: Mapping[str, str], peers: Sequence[Peer], ports: Sequence[int]
) -> TrafficRule:
    return TrafficRule(
        name=name, direction=direction, peers=tuple(peers), ports=tuple(map(Port, ports)), pods=dict(pods)
    )


DNS = TrafficRule(
    name="allow-dns",
    direction=Direction.EGRESS,
    peers=(Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"}),),
    ports=(Port(53, "UDP"), Port(53)),
)

HTTPS_OUT = allow_https_out("allow-https-out", {}, WayOut.INTERNET_AND_API)
"""To the Kubernetes API, Entra, the vault and other services outside the cluster, whose addresses are not fixed."""

API_OUT = allow_https_out("allow-https-out", {}, WayOut.KUBERNETES_API)
"""To the Kubernetes API alone."""


def webhook(pods: Mapping[str, str], port: int) -> TrafficRule:
    """Calls of the Kubernetes API to an admission webhook in `pods`."""
    return allow_from("allow-webhook", pods, (Peer(namespace="kube-system"),), port)


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of a namespace, and every rule that applies to exactly them; its name is the NetworkPolicy's."""

    pods: dict[str, str]
    rules: tuple[TrafficRule, ...]

    @property
    def name(self) -> str:
        """The values of its labels, or of a label that is only set or not, its name."""
        names = [key.rpartition("/")[2] if value == "true" else value for key, value in self.pods.items()]
        return "-".join(names) or "all-pods"

    def towards(self, direction: Direction) -> tuple[TrafficRule, ...]:
        """Return the rules in one direction."""
        return tuple(rule for rule in self.rules if rule.direction is direction)


def workloads(rules: Sequence[TrafficRule]) -> list[Workload]:
    """Group the rules of a namespace by the pods that they apply to. Raises ValueError where two names are equal."""
    selectors: list[dict[str, str]] = []
    for rule in rules:
        if rule.pods not in selectors:
            selectors.append(rule.pods)
    found = [Workload(pods, tuple(rule for rule in rules if rule.pods == pods)) for pods in selectors]
    names = [workload.name for workload in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"different pods of one namespace would share the policy name {', '.join(sorted(repeated))}")
    return found
