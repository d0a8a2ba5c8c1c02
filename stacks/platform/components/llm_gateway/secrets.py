"""The gateway's secrets: its own, the engines' key, and the keys by which the platform's parts call it."""

from stacks.platform.common.secret_marks import secret_mark
from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret
from stacks.settings.workloads import Engine

SECRET = "gateway-secrets"  # noqa: S105 (a name, not a secret)
CHAT_KEY = "chat-key"
"""Key of the Secret, and alias of the gateway's key, for Open WebUI."""
OPIK_KEY = "opik-key"
"""The same for Opik's playground and evaluations."""

_ALWAYS = {
    "LITELLM_MASTER_KEY": GeneratedSecret.GATEWAY_MASTER_KEY,
    "LITELLM_SALT_KEY": GeneratedSecret.GATEWAY_SALT_KEY,
    "database-password": GeneratedSecret.DATABASE_GATEWAY_PASSWORD,
    "redis-password": GeneratedSecret.GATEWAY_REDIS_PASSWORD,
}


def platform_keys(settings: Settings) -> dict[str, GeneratedSecret]:
    """Keys that the gateway has to know for parts of the platform that are switched on, by alias."""
    wanted = {
        CHAT_KEY: (settings.chat.enabled, GeneratedSecret.GATEWAY_CHAT_KEY),
        OPIK_KEY: (settings.opik.enabled, GeneratedSecret.GATEWAY_OPIK_KEY),
    }
    return {alias: secret for alias, (enabled, secret) in wanted.items() if enabled}


def delivered(settings: Settings) -> dict[str, GeneratedSecret]:
    """Keys of the gateway's Secret, each with its name in the vault."""
    vllm = any(model.engine is Engine.VLLM for model in settings.models)
    return {
        **_ALWAYS,
        **({"VLLM_API_KEY": GeneratedSecret.VLLM_API_KEY} if vllm else {}),
        **platform_keys(settings),
    }


def versions(settings: Settings) -> str:
    """Short text that changes when a version of what the Secret holds is raised, or when it holds something else."""
    held = delivered(settings)
    return secret_mark(settings, held.values(), *sorted(held))
