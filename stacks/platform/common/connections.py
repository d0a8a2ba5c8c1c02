"""Who talks to whom, and why: what the components' pods need of the network, told apart from the rules that let it in.

Traffic rules (`traffic.py`) become NetworkPolicies, one end at a time. Connections are the other side of the books: one
line for what is meant to happen. `llmctl policy network` evaluates the policies over the rendered pods and compares:
every connection has to be let through by both ends, and nothing else may be.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from stacks.settings.monitoring import MonitoringSettings
from stacks.settings.network import IngressMode, IngressSettings

from .ingress_mode import INGRESS
from .scraping import collector
from .traffic import ANY_NAMESPACE, DNS, MONITORING, Peer, Port, WayOut

if TYPE_CHECKING:
    from .namespaces import NamespaceRules
    from .scraping import Target

CLUSTER_SERVICES = "kube-system"
"""Namespace of what AKS runs: no policy of the platform's applies there."""
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
"""Pods that collect metrics where the platform does so itself."""


class Place(StrEnum):
    """An end of a connection that is no pod; the text is the one that people read."""

    INTERNET = "internet"
    """Every public address: people, Entra, Azure's public services, model hubs, Let's Encrypt."""
    KUBERNETES_API = "Kubernetes API"
    NODES = "nodes"
    """Kubelets and whatever else listens on a node's own address."""
    METADATA = "instance metadata (169.254.169.254)"
    """Hands out the node's own identity."""
    WIRE_SERVER = "wire server (168.63.129.16)"
    """Azure's channel to the node's agent, with the extensions' settings and certificates."""
    POSTGRESQL = "PostgreSQL (private endpoint)"
    KEY_VAULT = "Key Vault (private endpoint)"
    REGISTRY = "container registry (private endpoint)"
    STORAGE = "file shares (private endpoint)"
    EGRESS_PROXY = "egress proxy"
    """Through which everything reaches the internet, where the settings name one."""
    APPLICATION_GATEWAY = "Application Gateway"
    NETWORK = "rest of the virtual network and networks joined to it"


OUTSIDE = (Place.INTERNET, Place.KUBERNETES_API, Place.NETWORK, Place.APPLICATION_GATEWAY)
"""What a rule for addresses outside the cluster cannot tell apart: their addresses are not fixed."""

ENDPOINTS = (Place.POSTGRESQL, Place.KEY_VAULT, Place.REGISTRY, Place.STORAGE)
"""Services with an address in the subnet of private endpoints, which Azure chooses."""

End = Peer | Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Pods or a place that call others, on these ports."""

    caller: End
    receiver: End
    ports: tuple[Port, ...]
    """Ports of the receiving pod; empty for every port."""
    why: str
    """What for, in a few words that read well after the ends."""
    needed: bool = True
    """Whether the platform needs it: every such connection has to be let through. Others may be, and are known."""
    way_out: WayOut | None = None
    """Set for HTTPS outside the cluster, as in the traffic rule for it."""


def calls(caller: End, receiver: End, *ports: int, why: str, needed: bool = True) -> Connection:
    """Say that `caller` opens TCP connections to `ports` of `receiver`, every port where none is given."""
    return Connection(caller=caller, receiver=receiver, ports=tuple(map(Port, ports)), why=why, needed=needed)


def https_out(caller: End, why: str, way: WayOut = WayOut.INTERNET) -> Iterator[Connection]:
    """Say that `caller` needs HTTPS outside the cluster; policies cannot name who answers there."""
    for place in OUTSIDE:
        yield replace(calls(caller, place, 443, why=why), way_out=way)


def private_endpoint(caller: End, place: Place, port: int, why: str) -> Iterator[Connection]:
    """Say that `caller` needs one of Azure's services by its private address; a rule for it names all of them."""
    yield calls(caller, place, port, why=why)
    for other in ENDPOINTS:
        if other is not place:
            yield calls(caller, other, port, why=f"the rule for {place} names its subnet", needed=False)


def from_ingress(ingress: IngressSettings, pods: Peer, *ports: int, why: str) -> Connection:
    """Say that requests from outside reach `ports` of `pods`."""
    return calls(_ingress(ingress), pods, *ports, why=why)


def challenges(ingress: IngressSettings, namespace: str, *, is_private: bool) -> Iterator[Connection]:
    """Say that the ingress reaches cert-manager's challenge pods, which appear beside an Ingress while it is proved."""
    if is_private:
        return
    solver = Peer(namespace=namespace, pods={"acme.cert-manager.io/http01-solver": "true"})
    yield calls(_ingress(ingress), solver, 8089, why="challenge of a certificate")


def webhook_calls(pods: Peer, port: int) -> Connection:
    """Say that the Kubernetes API calls a webhook; it does so through the tunnel's pods."""
    return calls(Peer(namespace=CLUSTER_SERVICES), pods, port, why="webhook of the Kubernetes API")


def name_lookups(namespaces: "tuple[NamespaceRules, ...]") -> Iterator[Connection]:
    """Yield one connection for every namespace whose pods look names up."""
    (names,) = DNS.peers
    for rules in namespaces:
        if DNS in rules.traffic:
            yield Connection(caller=Peer(namespace=rules.name), receiver=names, ports=DNS.ports, why="names")


def metrics(monitoring: MonitoringSettings, targets: "tuple[Target, ...]") -> Iterator[Connection]:
    """Yield one connection for everything that metrics are collected from."""
    asks = collector(monitoring)
    caller = Peer(namespace=MONITORING, pods=PROMETHEUS) if asks.namespace == MONITORING else asks
    if not monitoring.enabled and asks.namespace == MONITORING:
        return
    for target in targets:
        receiver = Peer(namespace=target.namespace, pods=dict(target.labels))
        yield calls(caller, receiver, target.number, why=f"metrics of {target.name}")


def _ingress(ingress: IngressSettings) -> End:
    return Peer(namespace=INGRESS) if ingress.mode is IngressMode.NGINX else Place.APPLICATION_GATEWAY


ANY_POD = Peer(namespace=ANY_NAMESPACE)
"""Every pod of the cluster."""
