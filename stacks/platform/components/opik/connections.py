"""What Opik's pods talk to, and why."""

from collections.abc import Iterator, Mapping

from stacks.platform.common.connections import Connection, calls, challenges, from_ingress, https_out
from stacks.platform.common.host_calls import host_calls
from stacks.platform.common.traffic import Peer, WayOut
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.llm_gateway.address import PODS as GATEWAY_PODS
from stacks.platform.components.llm_gateway.address import PORT as GATEWAY_PORT
from stacks.platform.components.llm_gateway.address import enabled as has_gateway

from .names import BACKEND, FRONTEND, FRONTEND_PORT, NAMESPACE
from .traffic import (
    CLICKHOUSE,
    EVALUATOR,
    GUARDRAILS,
    LOGIN,
    MINIO,
    MYSQL,
    OPERATOR,
    REDIS,
    SESSIONS,
    ZOOKEEPER,
)

_INSIDE: tuple[tuple[Mapping[str, str], Mapping[str, str], tuple[int, ...], str], ...] = (
    (LOGIN, FRONTEND, (FRONTEND_PORT,), "people who have logged in"),
    (LOGIN, SESSIONS, (6379,), "sessions of people"),
    (FRONTEND, BACKEND, (8080, 3003), "API and updates of pages"),
    (BACKEND, MYSQL, (3306,), "projects, prompts, rules"),
    (BACKEND, CLICKHOUSE, (8123,), "traces"),
    (BACKEND, REDIS, (6379,), "queues and caches"),
    (BACKEND, MINIO, (9000,), "attachments"),
    (MINIO, MINIO, (9000,), "the Job that makes the bucket"),
    (CLICKHOUSE, ZOOKEEPER, (2181,), "replication"),
    (CLICKHOUSE, CLICKHOUSE, (8123, 9000, 9009), "replication"),
    (OPERATOR, CLICKHOUSE, (8123, 9000), "schema and health"),
)


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield Opik's connections."""
    settings = components.settings
    yield from_ingress(settings.ingress, _pods(LOGIN), 4180, why="people, at the login")
    yield from challenges(settings.ingress, NAMESPACE, is_private=settings.is_private)
    for caller, receiver, ports, why in _INSIDE:
        yield calls(_pods(caller), _pods(receiver), *ports, why=why)
    if settings.opik.python_evaluators:
        yield calls(_pods(BACKEND), _pods(EVALUATOR), 8000, why="evaluation code of people, with its data")
    if settings.opik.guardrails_pool:
        yield calls(_pods(LOGIN), _pods(GUARDRAILS), 5000, why="checks of texts by people's programs")
    yield from https_out(_pods(LOGIN), "Entra")
    yield from https_out(_pods(OPERATOR), "Kubernetes API", WayOut.KUBERNETES_API)
    yield from https_out(
        _pods(BACKEND), "Kubernetes API, models of other providers in the playground", WayOut.INTERNET_AND_API
    )
    yield from host_calls(
        _pods(BACKEND), "models by the address of the LLM gateway's host", is_private=settings.is_private
    )
    if has_gateway(settings.gateway):
        yield calls(_pods(BACKEND), Peer(namespace=GATEWAY, pods=GATEWAY_PODS), GATEWAY_PORT, why="playground")


def _pods(labels: Mapping[str, str]) -> Peer:
    return Peer(namespace=NAMESPACE, pods=dict(labels))
