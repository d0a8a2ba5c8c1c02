"""What the rest of the code has to know of the chat."""

from collections.abc import Iterator

from stacks.platform.common.databases import Database
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity, application_namespace
from stacks.platform.common.parts import Part
from stacks.platform.common.traffic import Peer
from stacks.platform.components.base import Component, GatewayCaller, Health
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.secrets.names import GeneratedSecret

from .connections import connections
from .names import ACCOUNT, DATABASE, GATEWAY_KEY, HOST, NAMESPACE, PODS, PORT, REDIS, RELEASE, SERVICE_PORT
from .secrets import external_secrets
from .traffic import chat_traffic


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    # None of its pods needs more than the highest level allows.
    yield application_namespace(settings, NAMESPACE, chat_traffic(settings), enforced=PodSecurity.RESTRICTED)


def _external_secrets(components: EnabledComponents, *, database_host: str) -> tuple[ExternalSecret, ...]:
    return external_secrets(components.settings, database_host=database_host)


COMPONENT = Component(
    package=__package__,
    position=70,
    needs=("secrets", "certificates", "trust", "serving", "databases", "llm_gateway"),
    page="reference/chat.md",
    summary="Open WebUI, the chat",
    enabled=lambda settings: settings.chat.enabled,
    charts=("open-webui", "valkey"),
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    login_accounts=(ACCOUNT,),
    hosts=(HOST,),
    health=Health(
        host=HOST,
        url=f"http://{RELEASE}.{NAMESPACE}.svc.cluster.local:{SERVICE_PORT}/health",
        pods=Peer(namespace=NAMESPACE, pods=PODS),
        port=PORT,
    ),
    databases=(
        Database(name=DATABASE, password=GeneratedSecret.DATABASE_CHAT_PASSWORD, extensions=("vector", "uuid-ossp")),
    ),
    engine_caller=Peer(namespace=NAMESPACE),
    parts=lambda _: (
        Part(name="redis", namespace=NAMESPACE, workload=f"deployment/{REDIS}", container="valkey"),
        Part(
            name="open-webui",
            namespace=NAMESPACE,
            workload=f"deployment/{RELEASE}",
            container=RELEASE,
            main=True,
            replicas_setting="chat.replicas, chat.max_replicas",
        ),
    ),
    gateway_caller=GatewayCaller(
        key_name=GATEWAY_KEY, secret=GeneratedSecret.GATEWAY_CHAT_KEY, pods=Peer(namespace=NAMESPACE), private=True
    ),
)
