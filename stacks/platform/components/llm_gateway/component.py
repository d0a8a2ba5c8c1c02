"""What the rest of the code has to know of the LLM gateway."""

from collections.abc import Iterator

from stacks.platform.common.databases import Database
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity, application_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.scraping import Target
from stacks.platform.common.traffic import Peer
from stacks.platform.components.base import Component, Health
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from .address import DATABASE, HOST, LIMITS, METRICS_PORT, NAMESPACE, PODS, PORT, SERVICE, enabled
from .connections import connections
from .secrets import external_secret
from .traffic import gateway_traffic


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    traffic = gateway_traffic(components)
    yield application_namespace(components.settings, NAMESPACE, traffic, enforced=PodSecurity.RESTRICTED)


def _external_secrets(components: EnabledComponents, **_: str) -> Iterator[ExternalSecret]:
    yield external_secret(components.settings, components.gateway_callers())


def _targets(_: Settings) -> Iterator[Target]:
    yield Target(name="litellm", namespace=NAMESPACE, labels=PODS, port="metrics", number=METRICS_PORT)


COMPONENT = Component(
    package=__package__,
    position=80,
    needs=("secrets", "certificates", "serving", "databases", "cloud_models"),
    page="reference/llm-gateway.md",
    summary="LiteLLM, the one OpenAI-compatible API in front of the engines",
    enabled=lambda settings: enabled(settings.gateway),
    charts=("litellm", "valkey"),
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    hosts=(HOST,),
    health=Health(
        host=HOST,
        url=f"http://{SERVICE}.{NAMESPACE}.svc.cluster.local:{PORT}/health/readiness",
        pods=Peer(namespace=NAMESPACE, pods=PODS),
        port=PORT,
    ),
    databases=(Database(name=DATABASE, password=GeneratedSecret.DATABASE_GATEWAY_PASSWORD, extensions=("uuid-ossp",)),),
    engine_caller=Peer(namespace=NAMESPACE),
    targets=_targets,
    word="gateway",
    parts=lambda _: (
        Part(name="redis", namespace=NAMESPACE, workload=f"deployment/{LIMITS}", container="valkey"),
        Part(
            name="litellm",
            namespace=NAMESPACE,
            workload="deployment/litellm",
            container="proxy",
            main=True,
            replicas_setting="gateway.replicas, gateway.max_replicas",
        ),
    ),
    alerts=("gateway",),
    dashboards=("gateway",),
)
