"""Who talks to whom around the chat. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.databases import allow_database
from stacks.platform.common.host_calls import allow_hosts
from stacks.platform.common.ingress_mode import ingress_peer
from stacks.platform.common.traffic import Peer, TrafficRule, allow_from, allow_https_out, allow_to
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.platform.components.serving.engines import PROXY, PROXY_PORT, SERVING
from stacks.settings import Settings

from .names import NAMESPACE, PODS, PORT, REDIS_PODS, REDIS_PORT


def chat_traffic(settings: Settings) -> Iterator[TrafficRule]:
    """Traffic rules of the chat's namespace besides those of every application."""
    yield allow_from("front-door-to-chat", PODS, (ingress_peer(settings.ingress, settings.network),), PORT)
    yield allow_database(settings.network, PODS)
    yield allow_to("chat-to-redis", PODS, (Peer(namespace=NAMESPACE, pods=REDIS_PODS),), REDIS_PORT)
    yield allow_from("redis-from-chat", REDIS_PODS, (Peer(namespace=NAMESPACE, pods=PODS),), REDIS_PORT)
    if has_gateway(settings.gateway):
        yield allow_to("chat-to-gateway", PODS, (Peer(namespace=GATEWAY),), GATEWAY_PORT)
    elif settings.models:
        engines = Peer(namespace=SERVING, pods={"app.kubernetes.io/name": PROXY})
        yield allow_to("chat-to-engines", PODS, (engines,), PROXY_PORT)
    # Entra, whose addresses are not fixed, and pages that people ask the chat to read.
    yield allow_https_out("chat-to-internet", PODS)
    yield from allow_hosts("chat", PODS, is_private=settings.is_private)
