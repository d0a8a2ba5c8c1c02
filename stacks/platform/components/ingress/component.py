"""What the rest of the code has to know of the ingress controller."""

from collections.abc import Iterable, Iterator

from stacks.platform.common import host_calls
from stacks.platform.common.ingress_mode import INGRESS, PRIVATE_RANGES, TAILSCALE
from stacks.platform.common.namespaces import Layer, NamespaceRules
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target, allow_metrics
from stacks.platform.common.traffic import (
    ANY_NAMESPACE,
    ANYWHERE,
    API_OUT,
    CHALLENGE,
    DNS,
    Direction,
    Peer,
    TrafficRule,
    allow_from,
    allow_to,
)
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.network import IngressMode, IngressSettings
from stacks.settings.private_access import PrivateAccessSettings

from .connections import connections

METRICS_PORT = 9113
PODS = {"app.kubernetes.io/name": "nginx-ingress"}


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    backends = _backends(components)
    # Those of two rollouts go on with what they have begun, for half an hour, while new ones start.
    most_pods = 3 * settings.ingress.nginx_replicas
    yield NamespaceRules(
        name=INGRESS,
        layer=Layer.CONTROLLERS,
        quota={
            "pods": f"{most_pods + 1}",
            "requests.cpu": f"{most_pods}",
            "requests.memory": f"{most_pods}Gi",
            "limits.memory": f"{2 * most_pods}Gi",
            "persistentvolumeclaims": "0",
            "services.loadbalancers": "1",
        },
        container_defaults={"memory": "256Mi"},
        container_requests={"cpu": "10m", "memory": "64Mi"},
        traffic=(
            DNS,
            API_OUT,
            *(
                _private_callers(settings.private_access, settings.ingress)
                if settings.is_private
                else _public_callers(settings.ingress)
            ),
            *(_calling_pods(components) if settings.is_private else ()),
            *([allow_to("allow-backends", {}, backends)] if backends else []),
            allow_metrics(settings.monitoring, METRICS_PORT, pods=PODS),
        ),
    )


def _public_callers(ingress: IngressSettings) -> Iterator[TrafficRule]:
    ranges = [str(cidr) for cidr in ingress.allowed_source_ranges] or [ANYWHERE]
    callers = (*(Peer(cidr=cidr) for cidr in ranges), Peer(namespace=ANY_NAMESPACE))
    yield allow_from("allow-front-door", {}, callers, 443)
    # Redirects, and challenges: of Let's Encrypt, whose addresses nobody publishes, and of cert-manager, which
    # asks for its own first and is a pod, so that no range matches it.
    yield allow_from("allow-challenges", {}, (Peer(cidr=ANYWHERE), Peer(namespace=ANY_NAMESPACE)), 80)


def _private_callers(private_access: PrivateAccessSettings, ingress: IngressSettings) -> Iterator[TrafficRule]:
    """Private networks, and the subnet router of a tailnet, whose packets Cilium sends straight to the controller."""
    ranges = ingress.allowed_source_ranges or PRIVATE_RANGES
    callers = [Peer(cidr=str(cidr)) for cidr in ranges]
    if private_access.tailscale:
        callers.append(Peer(namespace=TAILSCALE))
    yield allow_from("allow-private-callers", {}, callers, 80, 443)


def _calling_pods(components: EnabledComponents) -> Iterator[TrafficRule]:
    """Pods that call hosts, which Cilium sends straight to the controller; a public ingress lets every pod in."""
    others = components.namespaces_beside("ingress")
    pods = [pods for rules in others for pods in host_calls.callers(rules.name, rules.traffic)]
    yield allow_from("allow-pods", {}, (*pods, host_calls.OWN_PODS), host_calls.PORT)


def _backends(components: EnabledComponents) -> list[Peer]:
    """Every namespace that lets the controller in."""
    return [Peer(namespace=rules.name) for rules in components.namespaces_beside("ingress") if _let_in(rules.traffic)]


def routed_namespaces(components: EnabledComponents) -> list[str]:
    """Return the namespaces that have an Ingress: they let the controller in for more than challenges."""
    return [
        rules.name
        for rules in components.namespaces_beside("ingress")
        if _let_in(rule for rule in rules.traffic if rule.name != CHALLENGE)
    ]


def _let_in(traffic: Iterable[TrafficRule]) -> bool:
    ingress = (rule for rule in traffic if rule.direction is Direction.INGRESS)
    return any(peer.namespace == INGRESS for rule in ingress for peer in rule.peers)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(
        name="nginx-ingress",
        namespace=INGRESS,
        labels=PODS,
        port="prometheus",
        number=METRICS_PORT,
    )


COMPONENT = Component(
    package=__package__,
    position=30,
    needs=("certificates",),
    page="reference/network.md",
    summary="F5 NGINX at the environment's address",
    enabled=lambda settings: settings.ingress.mode is IngressMode.NGINX,
    charts=("nginx-ingress", "rights"),
    namespaces=_namespaces,
    connections=connections,
    targets=_targets,
    parts=lambda _: (
        Part(
            name="nginx",
            namespace=INGRESS,
            workload="deployment/nginx-ingress-controller",
            container="nginx-ingress",
            main=True,
            replicas_setting="ingress.nginx_replicas",
        ),
    ),
)
