"""What the rest of the code has to know of the way out to cloud models."""

from collections.abc import Iterator

from stacks.platform.common.connections import Connection, Place, calls
from stacks.platform.common.namespaces import Layer, NamespaceRules, controller_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.traffic import ANYWHERE, DNS, Peer, allow_from, allow_to
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings

from .address import ACCOUNT, GATEWAY, NAMESPACE, PODS, PORT, SERVICE
from .release import ports


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    traffic = (
        DNS,
        allow_from("allow-gateway", PODS, (GATEWAY,), PORT),
        allow_to("cloud-to-internet", PODS, (Peer(cidr=ANYWHERE),), *ports(components.settings.cloud_models)),
    )
    yield controller_namespace(NAMESPACE, traffic, Layer.APPLICATIONS)


def _connections(components: EnabledComponents) -> Iterator[Connection]:
    pods = Peer(namespace=NAMESPACE, pods=PODS)
    yield calls(GATEWAY, pods, PORT, why="models outside the network")
    outside = ports(components.settings.cloud_models)
    yield calls(pods, Place.INTERNET, *outside, why="cloud models, and tokens of Entra")
    for place in (Place.KUBERNETES_API, Place.NETWORK, Place.APPLICATION_GATEWAY):
        yield calls(pods, place, *outside, why="the rule for the internet names every address", needed=False)


def _enabled(settings: Settings) -> bool:
    return bool(settings.cloud_models) and settings.gateway.enabled


COMPONENT = Component(
    package=__package__,
    position=85,
    page="reference/cloud-models.md",
    summary="the one way out to models outside the network; off unless a model is listed",
    enabled=_enabled,
    charts=(SERVICE,),
    namespaces=_namespaces,
    connections=_connections,
    accounts=(ACCOUNT,),
    word="cloud-models",
    parts=lambda _: (
        Part(name=SERVICE, namespace=NAMESPACE, workload=f"deployment/{SERVICE}", container="nginx", main=True),
    ),
)
