"""Who talks to the gateway and whom it talks to. Everything else is denied."""

from collections.abc import Iterator

from stacks.platform.common.scraping import metrics
from stacks.platform.common.traffic import Direction, Flow, Peer, Port
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.serving.engines import FRONT, FRONT_PORT, SERVING
from stacks.settings import Settings

from .address import LIMITS, LIMITS_PORT, METRICS_PORT, NAMESPACE, PORT

PROXY = {"app.kubernetes.io/name": "litellm"}
"""Pods that answer."""
JOBS = {"app.kubernetes.io/name": "litellm-jobs"}
"""Pods that migrate the database and register keys."""
LIMITS_PODS = {"app.kubernetes.io/instance": LIMITS}
"""The Redis comes from the chart of the login's sessions, which names its pods so."""

# The namespaces' names cannot be imported from their rules, which import this module.
_CHAT, _OPIK = "chat", "opik"
_OPIK_FRONTEND = ({"component": "opik-frontend"}, 5173)


def gateway_flows(settings: Settings, front_door: Peer) -> tuple[Flow, ...]:
    """Flows of the gateway's namespace besides those of every application."""
    return tuple(_flows(settings, front_door))


def _flows(settings: Settings, front_door: Peer) -> Iterator[Flow]:
    jobs = Peer(namespace=NAMESPACE, pods=JOBS)
    callers = [front_door, jobs]
    if settings.chat.enabled:
        callers.append(Peer(namespace=_CHAT))
    if settings.opik.enabled:
        callers.append(Peer(namespace=_OPIK, pods={"component": "opik-backend"}))
    yield _in("allow-callers", PROXY, PORT, *callers)
    yield metrics(settings, METRICS_PORT)
    yield _out("allow-engines", PROXY, FRONT_PORT, Peer(namespace=SERVING, pods={"app.kubernetes.io/name": FRONT}))
    yield _out("allow-limits", PROXY, LIMITS_PORT, Peer(namespace=NAMESPACE, pods=LIMITS_PODS))
    yield _in("allow-counting", LIMITS_PODS, LIMITS_PORT, Peer(namespace=NAMESPACE, pods=PROXY))
    server = databases.server(settings)
    yield _out("allow-database", PROXY, databases.PORT, server)
    yield _out("allow-jobs-database", JOBS, databases.PORT, server)
    yield _out("allow-jobs-gateway", JOBS, PORT, Peer(namespace=NAMESPACE, pods=PROXY))
    if settings.opik.enabled:
        pods, port = _OPIK_FRONTEND
        yield _out("allow-traces", PROXY, port, Peer(namespace=_OPIK, pods=pods))


def _in(name: str, pods: dict[str, str], port: int, *peers: Peer) -> Flow:
    return Flow(name=name, direction=Direction.INGRESS, peers=peers, ports=(Port(port),), pods=dict(pods))


def _out(name: str, pods: dict[str, str], port: int, *peers: Peer) -> Flow:
    return Flow(name=name, direction=Direction.EGRESS, peers=peers, ports=(Port(port),), pods=dict(pods))
