"""The chat's secrets: one Kubernetes Secret of its variables, and one for its Redis, which needs nothing else."""

from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.platform.components.databases.jobs import CHAT_DATABASE, database_url
from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret

from .backends import backends, embedding_key
from .names import REDIS, REDIS_PORT

VARIABLES = "chat-secrets"
"""Its keys are names of Open WebUI's variables."""
REDIS_SECRET = "chat-redis-secrets"  # noqa: S105 (a name, not a secret)
REDIS_URL_KEY = "REDIS_URL"
OPENAI_KEYS = "OPENAI_API_KEYS"
EMBEDDING_KEY = "RAG_OPENAI_API_KEY"
REDIS_URL = f"redis://:%s@{REDIS}:{REDIS_PORT}/0"
"""Passwords are of letters and digits, so they stand in a URL as they are."""

_ALWAYS = {
    "WEBUI_SECRET_KEY": GeneratedSecret.CHAT_SECRET_KEY,
    "OAUTH_SESSION_TOKEN_ENCRYPTION_KEY": GeneratedSecret.CHAT_OAUTH_ENCRYPTION_KEY,
    "OAUTH_CLIENT_INFO_ENCRYPTION_KEY": GeneratedSecret.CHAT_OAUTH_ENCRYPTION_KEY,
    "WEBUI_ADMIN_PASSWORD": GeneratedSecret.CHAT_ADMIN_PASSWORD,
    "DATABASE_URL": GeneratedSecret.DATABASE_CHAT_PASSWORD,
    REDIS_URL_KEY: GeneratedSecret.CHAT_REDIS_PASSWORD,
}


def delivered(settings: Settings) -> dict[str, dict[str, GeneratedSecret]]:
    """Secret to its keys, each with its name in the vault."""
    key, vectors = backends(settings).key, embedding_key(settings)
    return {
        VARIABLES: {
            **_ALWAYS,
            **({OPENAI_KEYS: key} if key else {}),
            **({EMBEDDING_KEY: vectors} if vectors else {}),
        },
        REDIS_SECRET: {"redis-password": GeneratedSecret.CHAT_REDIS_PASSWORD},
    }


def formats(settings: Settings, *, database_host: str) -> dict[str, dict[str, str]]:
    """Text around delivered values (`%s`), by Secret and key; `database_host` is the PostgreSQL server."""
    addresses = len(backends(settings).openai)
    return {
        VARIABLES: {
            "DATABASE_URL": database_url(CHAT_DATABASE, host=database_host),
            REDIS_URL_KEY: REDIS_URL,
            # One for each address, all the same.
            **({OPENAI_KEYS: ";".join(["%s"] * addresses)} if addresses else {}),
            VERSIONS_KEY: mark(settings, VARIABLES),
        },
        REDIS_SECRET: {VERSIONS_KEY: mark(settings, REDIS_SECRET)},
    }


def mark(settings: Settings, secret: str) -> str:
    """Short text that changes with the content of `secret`: with versions, and with the server after a restore."""
    return secret_mark(
        settings,
        delivered(settings)[secret].values(),
        sorted(delivered(settings)[secret]),
        len(backends(settings).openai),
        settings.database.generation,
    )
