"""What the rest of the code has to know of Opik."""

from collections.abc import Iterator

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import NamespaceRules, application_namespace
from stacks.platform.common.scraping import Target
from stacks.platform.common.traffic import Peer
from stacks.platform.components.base import Component, GatewayCaller, Health, TraceReceiver
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from .application import EVALUATOR_IMAGES
from .connections import connections
from .names import (
    BACKEND,
    FRONTEND,
    FRONTEND_PORT,
    FRONTEND_URL,
    GATEWAY_KEY,
    GUARDRAILS,
    HOST,
    LOGIN_ACCOUNT,
    NAMESPACE,
    OPERATOR,
    RELEASE,
)
from .parts import opik_parts
from .secrets import external_secrets
from .traffic import CLICKHOUSE, CLICKHOUSE_METRICS_PORT, LOGIN, LOGIN_METRICS_PORT, opik_traffic
from .version import at_chosen_version


def _unused_charts(settings: Settings) -> tuple[str, ...]:
    return () if settings.opik.guardrails_pool else (GUARDRAILS,)


def _unused_images(settings: Settings) -> tuple[str, ...]:
    return () if settings.opik.python_evaluators else EVALUATOR_IMAGES


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    # Images of the chart run as root, which the level `restricted` refuses.
    yield application_namespace(settings, NAMESPACE, opik_traffic(settings))


def _external_secrets(components: EnabledComponents, **_: str) -> tuple[ExternalSecret, ...]:
    return external_secrets(components.settings.secrets.versions)


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(name="oauth2-proxy", namespace=NAMESPACE, labels=LOGIN, port="metrics", number=LOGIN_METRICS_PORT)
    # Its pods come from an operator and do not declare the port.
    yield Target(
        name="clickhouse",
        namespace=NAMESPACE,
        labels=CLICKHOUSE,
        port="http",
        number=CLICKHOUSE_METRICS_PORT,
        declared=False,
    )


COMPONENT = Component(
    package=__package__,
    position=90,
    needs=("secrets", "certificates", "trust", "llm_gateway"),
    page="reference/opik.md",
    summary="Opik, tracing and evaluation, on disks that outlive the cluster, and the login before it",
    enabled=lambda settings: settings.opik.enabled,
    charts=(RELEASE, OPERATOR, LOGIN_ACCOUNT.name, GUARDRAILS, "valkey"),
    unused_charts=_unused_charts,
    unused_images=_unused_images,
    image_versions=at_chosen_version,
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    login_accounts=(LOGIN_ACCOUNT,),
    hosts=(HOST,),
    health=Health(
        host=HOST,
        url=f"{FRONTEND_URL}/health-check",
        pods=Peer(namespace=NAMESPACE, pods=FRONTEND),
        port=FRONTEND_PORT,
    ),
    gateway_caller=GatewayCaller(
        key_name=GATEWAY_KEY,
        secret=GeneratedSecret.GATEWAY_OPIK_KEY,
        pods=Peer(namespace=NAMESPACE, pods=BACKEND),
    ),
    trace_receiver=TraceReceiver(url=FRONTEND_URL, pods=Peer(namespace=NAMESPACE, pods=FRONTEND), port=FRONTEND_PORT),
    targets=_targets,
    parts=opik_parts,
    alerts=("opik",),
    dashboards=("opik",),
)
