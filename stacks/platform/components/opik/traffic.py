"""Who talks to whom in Opik's namespace. Everything else is denied, also between its own pods."""

from collections.abc import Iterator, Mapping

from stacks.platform.common.host_calls import allow_hosts
from stacks.platform.common.ingress_mode import ingress_peer
from stacks.platform.common.scraping import allow_metrics
from stacks.platform.common.traffic import Peer, TrafficRule, WayOut, allow_from, allow_https_out, allow_to
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PODS as GATEWAY_PODS
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.settings import Settings

from .names import BACKEND, FRONTEND, FRONTEND_PORT, NAMESPACE

Labels = Mapping[str, str]

CLICKHOUSE_METRICS_PORT = 9363
"""ClickHouse's own endpoint of metrics (helm/opik/values.yaml)."""
LOGIN_METRICS_PORT = 44180

EVALUATOR = {"component": "opik-python-backend"}
MYSQL = {"app.kubernetes.io/name": "mysql"}
REDIS = {"app.kubernetes.io/name": "redis"}
MINIO = {"app.kubernetes.io/name": "minio"}
ZOOKEEPER = {"app.kubernetes.io/name": "zookeeper-opik"}
CLICKHOUSE = {"clickhouse.altinity.com/chi": "opik-clickhouse"}
OPERATOR = {"app.kubernetes.io/name": "altinity-clickhouse-operator"}
LOGIN = {"app.kubernetes.io/name": "oauth2-proxy"}
SESSIONS = {"app.kubernetes.io/instance": "login-sessions"}
GUARDRAILS = {"app.kubernetes.io/name": "opik-guardrails"}

_EDGES: tuple[tuple[str, Labels, Labels, tuple[int, ...]], ...] = (
    ("login-to-frontend", LOGIN, FRONTEND, (FRONTEND_PORT,)),
    ("login-to-sessions", LOGIN, SESSIONS, (6379,)),
    ("frontend-to-backend", FRONTEND, BACKEND, (8080, 3003)),
    ("backend-to-mysql", BACKEND, MYSQL, (3306,)),
    ("backend-to-clickhouse", BACKEND, CLICKHOUSE, (8123,)),
    ("backend-to-redis", BACKEND, REDIS, (6379,)),
    ("backend-to-minio", BACKEND, MINIO, (9000,)),
    ("bucket-job-to-minio", MINIO, MINIO, (9000,)),
    ("clickhouse-to-zookeeper", CLICKHOUSE, ZOOKEEPER, (2181,)),
    ("clickhouse-to-clickhouse", CLICKHOUSE, CLICKHOUSE, (8123, 9000, 9009)),
    ("operator-to-clickhouse", OPERATOR, CLICKHOUSE, (8123, 9000)),
)
"""Name, caller, receiver, ports of the receiving pods."""

# Its data comes with the call and the score goes back in the answer, so nothing is open to it.
_EVALUATORS = ("backend-to-evaluator", BACKEND, EVALUATOR, (8000,))
_GUARDRAILS = ("login-to-guardrails", LOGIN, GUARDRAILS, (5000,))


def opik_traffic(settings: Settings) -> Iterator[TrafficRule]:
    """Traffic rules of Opik's namespace besides those of every application."""
    for edge in _EDGES:
        yield from _both_ends(*edge)
    if settings.opik.python_evaluators:
        yield from _both_ends(*_EVALUATORS)
    if settings.opik.guardrails_pool:
        yield from _both_ends(*_GUARDRAILS)
    yield from _across_the_border(settings)


def _both_ends(name: str, caller: Labels, receiver: Labels, ports: tuple[int, ...]) -> Iterator[TrafficRule]:
    yield allow_to(f"{name}-out", caller, (Peer(namespace=NAMESPACE, pods=dict(receiver)),), *ports)
    yield allow_from(f"{name}-in", receiver, (Peer(namespace=NAMESPACE, pods=dict(caller)),), *ports)


def _across_the_border(settings: Settings) -> Iterator[TrafficRule]:
    """Yield what crosses the namespace's border."""
    yield allow_from("front-door-to-login", LOGIN, (ingress_peer(settings.ingress, settings.network),), 4180)
    # Entra; the Kubernetes API; models of other providers that people enter in the playground.
    for name, pods, way in (
        ("login", LOGIN, WayOut.INTERNET),
        ("operator", OPERATOR, WayOut.KUBERNETES_API),
        ("backend", BACKEND, WayOut.INTERNET_AND_API),
    ):
        yield allow_https_out(f"{name}-to-internet", pods, way)
    yield from allow_hosts("backend", BACKEND, is_private=settings.is_private)
    for name, pods, port in (("login", LOGIN, LOGIN_METRICS_PORT), ("clickhouse", CLICKHOUSE, CLICKHOUSE_METRICS_PORT)):
        yield allow_metrics(settings.monitoring, port, name=f"metrics-of-{name}", pods=pods)
    if has_gateway(settings.gateway):
        gateway = Peer(namespace=GATEWAY, pods=GATEWAY_PODS)
        yield allow_to("backend-to-gateway", BACKEND, (gateway,), GATEWAY_PORT)
        # Its traces, of every call. Without a login, which programs outside of the cluster need.
        yield allow_from("gateway-to-frontend", FRONTEND, (gateway,), FRONTEND_PORT)
