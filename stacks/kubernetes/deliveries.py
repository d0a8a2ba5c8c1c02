"""Which generated secrets of the vault are delivered into which namespace, and under which keys.

One wide Secret per consumer: External Secrets opens a new connection to the vault for every secret it reads.
"""

from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret
from stacks.settings.workloads import Engine

from .engines import SERVING
from .gateway import secrets as gateway_secrets
from .namespaces import CHAT, GATEWAY, OPIK, application_namespaces, serves_with
from .opik import secrets as opik_secrets

Delivery = dict[str, dict[str, str]]
"""Name of the Kubernetes Secret to its keys, each with the secret's name in the vault."""

HUGGING_FACE_TOKEN = "hugging-face-token"  # noqa: S105 (a name, not a secret)
"""The vault's name of a secret that its owner writes there; it has no version of the platform's."""
WRITTEN_BY_USERS = (HUGGING_FACE_TOKEN,)
CHAT_GATEWAY_KEY = "gateway-key"
"""Key of the chat's Secret by which Open WebUI calls the gateway, which registers it."""

_BY_NAMESPACE: dict[str, dict[str, dict[str, GeneratedSecret]]] = {
    CHAT: {
        "chat-secrets": {
            "WEBUI_SECRET_KEY": GeneratedSecret.CHAT_SECRET_KEY,
            "OAUTH_SESSION_TOKEN_ENCRYPTION_KEY": GeneratedSecret.CHAT_OAUTH_ENCRYPTION_KEY,
            "database-password": GeneratedSecret.DATABASE_CHAT_PASSWORD,
            "redis-password": GeneratedSecret.CHAT_REDIS_PASSWORD,
        },
    },
    OPIK: opik_secrets.DELIVERED,
}


def deliveries(settings: Settings) -> dict[str, Delivery]:
    """What each namespace of the environment receives; namespaces that receive nothing are left out."""
    by_namespace = dict(_BY_NAMESPACE) | {GATEWAY: {gateway_secrets.SECRET: gateway_secrets.delivered(settings)}}
    if settings.gateway.enabled:
        chat = _BY_NAMESPACE[CHAT]["chat-secrets"]
        by_namespace[CHAT] = {"chat-secrets": chat | {CHAT_GATEWAY_KEY: GeneratedSecret.GATEWAY_CHAT_KEY}}
    if serves_with(settings, Engine.VLLM):
        by_namespace[SERVING] = {"vllm-secrets": {"VLLM_API_KEY": GeneratedSecret.VLLM_API_KEY}}
    delivered = {
        namespace: {
            secret: {key: name.value for key, name in keys.items()} for secret, keys in by_namespace[namespace].items()
        }
        for namespace in application_namespaces(settings)
        if namespace in by_namespace
    }
    if serves_with(settings, Engine.VLLM) and settings.serving.hugging_face_token:
        delivered[SERVING]["vllm-secrets"]["HF_TOKEN"] = HUGGING_FACE_TOKEN
    return delivered


def formats(settings: Settings) -> dict[str, dict[str, dict[str, str]]]:
    """Text around delivered values, where `%s` stands for the value; without it the text is no secret at all.

    By namespace, Secret and key, like the deliveries.
    """
    texts: dict[str, dict[str, dict[str, str]]] = {}
    if settings.opik.enabled:
        texts[OPIK] = opik_secrets.formats(settings)
    if settings.gateway.enabled:
        mark = {gateway_secrets.VERSIONS_KEY: gateway_secrets.versions(settings)}
        texts[GATEWAY] = {gateway_secrets.SECRET: mark}
    return texts
