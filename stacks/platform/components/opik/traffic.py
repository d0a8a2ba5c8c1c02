"""Who talks to whom in Opik's namespace. Everything else is denied, also between its own pods."""

from collections.abc import Iterator, Mapping

from stacks.platform.common.accounts import OAUTH2_PROXY
from stacks.platform.common.scraping import metrics
from stacks.platform.common.traffic import HTTPS_OUT, Direction, Flow, Peer, Port
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.settings import Settings

Labels = Mapping[str, str]

CLICKHOUSE_METRICS_PORT = 9363
"""ClickHouse's own endpoint of metrics (helm/opik/values.yaml)."""
LOGIN_METRICS_PORT = 44180

BACKEND = {"component": "opik-backend"}
EVALUATOR = {"component": "opik-python-backend"}
FRONTEND = {"component": "opik-frontend"}
MYSQL = {"app.kubernetes.io/name": "mysql"}
REDIS = {"app.kubernetes.io/name": "redis"}
MINIO = {"app.kubernetes.io/name": "minio"}
ZOOKEEPER = {"app.kubernetes.io/name": "zookeeper-opik"}
CLICKHOUSE = {"clickhouse.altinity.com/chi": "opik-clickhouse"}
OPERATOR = {"app.kubernetes.io/name": "altinity-clickhouse-operator"}
LOGIN = {"app.kubernetes.io/name": "oauth2-proxy"}
SESSIONS = {"app.kubernetes.io/instance": "login-sessions"}
GUARDRAILS = {"app.kubernetes.io/name": "opik-guardrails"}
GATEWAY_PODS = {"app.kubernetes.io/name": "litellm"}

_EDGES: tuple[tuple[str, Labels, Labels, tuple[int, ...]], ...] = (
    ("login-to-frontend", LOGIN, FRONTEND, (5173,)),
    ("login-to-sessions", LOGIN, SESSIONS, (6379,)),
    ("frontend-to-backend", FRONTEND, BACKEND, (8080, 3003)),
    ("backend-to-mysql", BACKEND, MYSQL, (3306,)),
    ("backend-to-clickhouse", BACKEND, CLICKHOUSE, (8123,)),
    ("backend-to-redis", BACKEND, REDIS, (6379,)),
    ("backend-to-minio", BACKEND, MINIO, (9000,)),
    ("backend-to-evaluator", BACKEND, EVALUATOR, (8000,)),
    # Evaluators and optimizations reach data and models through Opik itself, not through the internet.
    ("evaluator-to-redis", EVALUATOR, REDIS, (6379,)),
    ("evaluator-to-backend", EVALUATOR, BACKEND, (8080,)),
    ("evaluator-to-frontend", EVALUATOR, FRONTEND, (5173,)),
    ("bucket-job-to-minio", MINIO, MINIO, (9000,)),
    ("clickhouse-to-zookeeper", CLICKHOUSE, ZOOKEEPER, (2181,)),
    ("clickhouse-to-clickhouse", CLICKHOUSE, CLICKHOUSE, (8123, 9000, 9009)),
    ("operator-to-clickhouse", OPERATOR, CLICKHOUSE, (8123, 9000)),
)
"""Name, caller, receiver, ports of the receiving pods."""

_GUARDRAILS = ("login-to-guardrails", LOGIN, GUARDRAILS, (5000,))


def opik_flows(settings: Settings, front_door: Peer) -> tuple[Flow, ...]:
    """Flows of Opik's namespace besides those of every application."""
    edges = (*_EDGES, _GUARDRAILS) if settings.opik.guardrails_pool else _EDGES
    return (*(flow for edge in edges for flow in _both_ends(*edge)), *_doors(settings, front_door))


def _both_ends(name: str, caller: Labels, receiver: Labels, ports: tuple[int, ...]) -> Iterator[Flow]:
    numbers = tuple(Port(number) for number in ports)
    for direction, own, other, suffix in (
        (Direction.EGRESS, caller, receiver, "out"),
        (Direction.INGRESS, receiver, caller, "in"),
    ):
        yield Flow(
            name=f"{name}-{suffix}",
            direction=direction,
            peers=(Peer(namespace=OAUTH2_PROXY.namespace, pods=dict(other)),),
            ports=numbers,
            pods=dict(own),
        )


def _doors(settings: Settings, front_door: Peer) -> Iterator[Flow]:
    """Yield what crosses the namespace's border."""
    yield Flow(
        name="front-door-to-login",
        direction=Direction.INGRESS,
        peers=(front_door,),
        ports=(Port(4180),),
        pods=dict(LOGIN),
    )
    # Entra; the Kubernetes API; models of other providers that people enter in the playground.
    for name, pods in (("login", LOGIN), ("operator", OPERATOR), ("backend", BACKEND)):
        yield Flow(
            name=f"{name}-to-internet",
            direction=Direction.EGRESS,
            peers=HTTPS_OUT.peers,
            ports=HTTPS_OUT.ports,
            pods=dict(pods),
        )
    for name, pods, port in (("login", LOGIN, LOGIN_METRICS_PORT), ("clickhouse", CLICKHOUSE, CLICKHOUSE_METRICS_PORT)):
        yield metrics(settings, port, name=f"metrics-of-{name}", pods=pods)
    if settings.gateway.enabled:
        yield Flow(
            name="backend-to-gateway",
            direction=Direction.EGRESS,
            peers=(Peer(namespace=GATEWAY, pods=GATEWAY_PODS),),
            ports=(Port(GATEWAY_PORT),),
            pods=dict(BACKEND),
        )
        # Its traces, of every call. Without a login, which programs outside of the cluster need.
        yield Flow(
            name="gateway-to-frontend",
            direction=Direction.INGRESS,
            peers=(Peer(namespace=GATEWAY, pods=GATEWAY_PODS),),
            ports=(Port(5173),),
            pods=dict(FRONTEND),
        )
