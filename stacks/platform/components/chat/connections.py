"""What the chat's pods talk to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import (
    Connection,
    Place,
    calls,
    challenges,
    from_ingress,
    https_out,
    private_endpoint,
)
from stacks.platform.common.databases import PORT as DATABASE_PORT
from stacks.platform.common.host_calls import host_calls
from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PODS as GATEWAY_PODS
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.platform.components.serving.engines import PROXY, PROXY_PORT, SERVING

from .names import NAMESPACE, PODS, PORT, REDIS_PODS, REDIS_PORT


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield the chat's connections."""
    settings = components.settings
    chat = Peer(namespace=NAMESPACE, pods=PODS)
    yield from_ingress(settings.ingress, chat, PORT, why="people")
    yield from challenges(settings.ingress, NAMESPACE, is_private=settings.is_private)
    yield from private_endpoint(chat, Place.POSTGRESQL, DATABASE_PORT, "chats, accounts, documents")
    yield calls(chat, Peer(namespace=NAMESPACE, pods=REDIS_PODS), REDIS_PORT, why="sessions shared by all replicas")
    if has_gateway(settings.gateway):
        yield calls(chat, Peer(namespace=GATEWAY, pods=GATEWAY_PODS), GATEWAY_PORT, why="models")
    elif settings.models:
        engines = Peer(namespace=SERVING, pods={"app.kubernetes.io/name": PROXY})
        yield calls(chat, engines, PROXY_PORT, why="models")
    yield from https_out(chat, "Entra, and pages that people ask the chat to read")
    yield from host_calls(chat, "models and tools by the address of their host", is_private=settings.is_private)
