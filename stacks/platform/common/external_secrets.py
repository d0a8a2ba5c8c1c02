"""Which generated secrets of the vault are delivered into which namespace, and under which keys.

One wide Secret per consumer: External Secrets opens a new connection to the vault for every secret it reads.
"""

from stacks.platform.components.chat import secrets as chat_secrets
from stacks.platform.components.databases import jobs as databases
from stacks.platform.components.llm_gateway import secrets as gateway_secrets
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from stacks.platform.components.monitoring import receivers
from stacks.platform.components.monitoring import secrets as monitoring_secrets
from stacks.platform.components.opik import secrets as opik_secrets
from stacks.platform.components.serving.engines import ENGINE_KEYS, SERVING
from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret
from stacks.settings.workloads import Engine

from .namespaces import CHAT, OPIK, application_namespaces, preparing_namespaces, serves_with
from .secret_marks import VERSIONS_KEY
from .traffic import MONITORING

Delivery = dict[str, dict[str, str]]
"""Name of the Kubernetes Secret to its keys, each with the secret's name in the vault."""

HUGGING_FACE_TOKEN = "hugging-face-token"  # noqa: S105 (a name, not a secret)
"""The vault's name of a secret that its owner writes there; it has no version of the platform's."""
WRITTEN_BY_USERS = (HUGGING_FACE_TOKEN, receivers.WEBHOOK_URL, receivers.SMTP_PASSWORD)


def deliveries(settings: Settings) -> dict[str, Delivery]:
    """What each namespace of the environment receives; namespaces that receive nothing are left out."""
    by_namespace: dict[str, dict[str, dict[str, GeneratedSecret]]] = {
        databases.NAMESPACE: databases.delivered(settings),
        CHAT: chat_secrets.delivered(settings),
        GATEWAY: {gateway_secrets.SECRET: gateway_secrets.delivered(settings)},
        OPIK: opik_secrets.DELIVERED,
        MONITORING: monitoring_secrets.DELIVERED,
    }
    if serves_with(settings, Engine.VLLM):
        by_namespace[SERVING] = {ENGINE_KEYS: {"VLLM_API_KEY": GeneratedSecret.VLLM_API_KEY}}
    delivered = {
        namespace: {
            secret: {key: name.value for key, name in keys.items()} for secret, keys in by_namespace[namespace].items()
        }
        for namespace in (*preparing_namespaces(settings), *application_namespaces(settings), *_monitoring(settings))
        if namespace in by_namespace
    }
    if serves_with(settings, Engine.VLLM) and settings.serving.hugging_face_token:
        delivered[SERVING][ENGINE_KEYS]["HF_TOKEN"] = HUGGING_FACE_TOKEN
    if settings.monitoring.enabled and (secret := receivers.VAULT_SECRETS.get(settings.monitoring.alerts.receiver)):
        delivered[MONITORING][receivers.SECRET] = {receivers.KEY: secret}
    return delivered


def formats(settings: Settings, *, database_host: str) -> dict[str, dict[str, dict[str, str]]]:
    """Text around delivered values, where `%s` stands for the value; without it the text is no secret at all.

    By namespace, Secret and key, like the deliveries; `database_host` is the PostgreSQL server.
    """
    texts: dict[str, dict[str, dict[str, str]]] = {}
    if settings.monitoring.enabled:
        texts[MONITORING] = monitoring_secrets.FORMATS
    if databases.databases(settings):
        texts[databases.NAMESPACE] = databases.formats(settings)
    if settings.chat.enabled:
        texts[CHAT] = chat_secrets.formats(settings, database_host=database_host)
    if settings.opik.enabled:
        texts[OPIK] = opik_secrets.formats(settings)
    if settings.gateway.enabled:
        mark = {VERSIONS_KEY: gateway_secrets.versions(settings)}
        texts[GATEWAY] = {gateway_secrets.SECRET: mark}
    return texts


def _monitoring(settings: Settings) -> tuple[str, ...]:
    return (MONITORING,) if settings.monitoring.enabled else ()
