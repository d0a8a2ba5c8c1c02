"""What the rest of the code has to know of the nameserver of the private zone."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, Place
from stacks.platform.common.ingress_mode import PRIVATE_RANGES, TAILSCALE
from stacks.platform.common.namespaces import Layer, NamespaceRules
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.common.traffic import Direction, Peer, Port, TrafficRule
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.network import IngressSettings
from stacks.settings.private_access import Nameserver, PrivateAccessSettings

NAMESPACE = "private-dns"
METRICS_PORT = 9153
PODS = {"app.kubernetes.io/name": "private-dns"}
PORTS = (Port(5353, "UDP"), Port(5353))
"""Of the pods; the Service has 53."""


def _callers(private_access: PrivateAccessSettings, ingress: IngressSettings) -> Iterator[Peer]:
    for cidr in ingress.allowed_source_ranges or PRIVATE_RANGES:
        yield Peer(cidr=str(cidr))
    if private_access.tailscale:
        yield Peer(namespace=TAILSCALE)


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    yield NamespaceRules(
        name=NAMESPACE,
        layer=Layer.CONTROLLERS,
        quota={
            "pods": "6",
            "requests.cpu": "200m",
            "requests.memory": "512Mi",
            "limits.memory": "1Gi",
            "persistentvolumeclaims": "0",
            "services.loadbalancers": "1",
        },
        traffic=(
            TrafficRule(
                name="allow-names",
                direction=Direction.INGRESS,
                peers=tuple(_callers(settings.private_access, settings.ingress)),
                ports=PORTS,
                pods=PODS,
            ),
            allow_metrics(settings.monitoring, METRICS_PORT, pods=PODS),
        ),
    )


def _connections(components: EnabledComponents) -> Iterator[Connection]:
    pods = Peer(namespace=NAMESPACE, pods=PODS)
    yield Connection(caller=Place.NETWORK, receiver=pods, ports=PORTS, why="names of the private zone")
    yield Connection(
        caller=Place.APPLICATION_GATEWAY,
        receiver=pods,
        ports=PORTS,
        why="names are open to it as to all of the network",
        needed=False,
    )
    if components.settings.private_access.tailscale:
        tailnet = Peer(namespace=TAILSCALE)
        yield Connection(caller=tailnet, receiver=pods, ports=PORTS, why="names of the private zone")


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(name="private-dns", namespace=NAMESPACE, labels=PODS, port="metrics", number=METRICS_PORT)


COMPONENT = Component(
    package=__package__,
    position=32,
    page="reference/private-access.md",
    summary="CoreDNS for the private zone",
    enabled=lambda settings: settings.is_private and settings.private_access.nameserver is Nameserver.COREDNS,
    charts=("private-dns",),
    namespaces=_namespaces,
    connections=_connections,
    targets=_targets,
    stays=True,
    word="private-dns",
    parts=lambda _: (
        Part(name="coredns", namespace=NAMESPACE, workload="deployment/private-dns", container="coredns", main=True),
    ),
)
