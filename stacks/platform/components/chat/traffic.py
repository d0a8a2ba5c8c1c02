"""Who talks to whom around the chat. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.traffic import HTTPS_OUT, Direction, Flow, Peer, Port
from stacks.platform.components.databases.jobs import to_server
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.serving.engines import FRONT, FRONT_PORT, SERVING
from stacks.settings import Settings

from .names import NAMESPACE, PODS, PORT, REDIS_PODS, REDIS_PORT


def chat_flows(settings: Settings, front_door: Peer) -> Iterator[Flow]:
    """Flows of the chat's namespace besides those of every application."""
    yield Flow(
        name="front-door-to-chat", direction=Direction.INGRESS, peers=(front_door,), ports=(Port(PORT),), pods=PODS
    )
    yield to_server(settings, PODS)
    yield _out("chat-to-redis", Peer(namespace=NAMESPACE, pods=REDIS_PODS), REDIS_PORT)
    yield Flow(
        name="redis-from-chat",
        direction=Direction.INGRESS,
        peers=(Peer(namespace=NAMESPACE, pods=PODS),),
        ports=(Port(REDIS_PORT),),
        pods=REDIS_PODS,
    )
    if settings.gateway.enabled:
        yield _out("chat-to-gateway", Peer(namespace=GATEWAY), GATEWAY_PORT)
    elif settings.models:
        front = Peer(namespace=SERVING, pods={"app.kubernetes.io/name": FRONT})
        yield _out("chat-to-engines", front, FRONT_PORT)
    # Entra, whose addresses are not fixed, and pages that people ask the chat to read.
    yield Flow(
        name="chat-to-internet",
        direction=HTTPS_OUT.direction,
        peers=HTTPS_OUT.peers,
        ports=HTTPS_OUT.ports,
        pods=PODS,
    )


def _out(name: str, peer: Peer, port: int) -> Flow:
    return Flow(name=name, direction=Direction.EGRESS, peers=(peer,), ports=(Port(port),), pods=PODS)
