"""What the rest of the code has to know of Tailscale's operator and the subnet router."""

from collections.abc import Iterator

from stacks.platform.common.connections import OUTSIDE, Connection, Place, https_out
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.ingress_mode import INGRESS, TAILSCALE
from stacks.platform.common.namespaces import Layer, NamespaceRules, PodSecurity, no_external_services
from stacks.platform.common.parts import Part
from stacks.platform.common.traffic import (
    ANYWHERE,
    DNS,
    HTTPS_OUT,
    Direction,
    Peer,
    Port,
    TrafficRule,
    WayOut,
    allow_to,
)
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.private_dns.component import NAMESPACE as NAMES
from stacks.platform.components.private_dns.component import PORTS as NAME_PORTS
from stacks.settings.private_access import Nameserver, PrivateAccessSettings, TailscaleCredentials

PEERS = (Port(3478, "UDP"), Port(41641, "UDP"))
"""STUN, and a peer's usual port: https://tailscale.com/docs/reference/faq/firewall-ports. A peer at another port is
reached through Tailscale's relays, by HTTPS."""
CLIENT_ID, CLIENT_SECRET = "tailscale-client-id", "tailscale-client-secret"
"""Secrets of the vault that a person writes."""
OPERATOR_SECRET = "operator-oauth"  # noqa: S105
"""Secret that the operator's chart mounts."""


def _has_secret(private_access: PrivateAccessSettings) -> bool:
    tailscale = private_access.tailscale
    return tailscale is not None and tailscale.credentials is TailscaleCredentials.VAULT


def _in_cluster_names(private_access: PrivateAccessSettings) -> bool:
    return private_access.nameserver is Nameserver.COREDNS


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    routed = [allow_to("allow-ingress", {}, (Peer(namespace=INGRESS),), 80, 443)]
    names = (
        Peer(namespace=NAMES)
        if _in_cluster_names(settings.private_access)
        else Peer(cidr=f"{settings.nameserver_address}/32")
    )
    ports = NAME_PORTS if _in_cluster_names(settings.private_access) else (Port(53, "UDP"), Port(53))
    routed.append(TrafficRule(name="allow-names", direction=Direction.EGRESS, peers=(names,), ports=ports))
    yield NamespaceRules(
        name=TAILSCALE,
        layer=Layer.CONTROLLERS,
        # The operator gives the router's pods a privileged container that turns forwarding on.
        enforced=PodSecurity.PRIVILEGED,
        reported=PodSecurity.PRIVILEGED,
        quota=no_external_services()
        | {"pods": "15", "requests.cpu": "1", "requests.memory": "2Gi", "limits.memory": "4Gi"},
        traffic=(
            DNS,
            HTTPS_OUT,
            TrafficRule(name="allow-tailnet", direction=Direction.EGRESS, peers=(Peer(cidr=ANYWHERE),), ports=PEERS),
            *routed,
        ),
    )


def _connections(components: EnabledComponents) -> Iterator[Connection]:
    settings, pods = components.settings, Peer(namespace=TAILSCALE)
    yield from https_out(pods, "Kubernetes API, Tailscale's control plane and relays", WayOut.INTERNET_AND_API)
    for place in OUTSIDE:
        yield Connection(caller=pods, receiver=place, ports=PEERS, why="machines of the tailnet", needed=False)
    if not _in_cluster_names(settings.private_access):
        ports = (Port(53, "UDP"), Port(53))
        yield Connection(
            caller=pods, receiver=Place.NETWORK, ports=ports, why="names of the private zone", needed=False
        )


def _external_secrets(components: EnabledComponents, *, database_host: str) -> Iterator[ExternalSecret]:  # noqa: ARG001
    if _has_secret(components.settings.private_access):
        yield ExternalSecret(
            namespace=TAILSCALE,
            name=OPERATOR_SECRET,
            keys={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        )


COMPONENT = Component(
    package=__package__,
    position=34,
    needs=("secrets", "ingress", "private_dns"),
    page="reference/private-access.md",
    summary="Tailscale's operator and a subnet router for the private addresses",
    enabled=lambda settings: settings.is_private and settings.private_access.tailscale is not None,
    charts=("tailscale-operator", "tailscale-router"),
    namespaces=_namespaces,
    connections=_connections,
    external_secrets=_external_secrets,
    stays=True,
    parts=lambda _: (
        Part(name="operator", namespace=TAILSCALE, workload="deployment/operator", container="operator", main=True),
    ),
)
