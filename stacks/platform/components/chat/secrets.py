"""The chat's secrets: one Kubernetes Secret of its variables, and one for its Redis, which needs nothing else."""

from collections.abc import Mapping

from stacks.platform.common.databases import database_url
from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from .backends import backends, embedding_key
from .names import DATABASE, NAMESPACE, REDIS, REDIS_PORT, SCRIPT_FOLDER

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


def variables(settings: Settings) -> dict[str, GeneratedSecret | str]:
    """Variables of Open WebUI that are secret, each with its name in the vault; those of the file come last."""
    key, vectors = backends(settings).key, embedding_key(settings)
    return {
        **_ALWAYS,
        **({OPENAI_KEYS: key} if key else {}),
        **({EMBEDDING_KEY: vectors} if vectors else {}),
        **settings.chat.secrets,
    }


def external_secrets(settings: Settings, *, database_host: str = "") -> tuple[ExternalSecret, ...]:
    """Both Secrets; `database_host` is the PostgreSQL server."""
    addresses = len(backends(settings).openai)
    around = {
        "DATABASE_URL": database_url(DATABASE, host=database_host, roots_folder=SCRIPT_FOLDER),
        REDIS_URL_KEY: REDIS_URL,
        # One for each address, all the same.
        **({OPENAI_KEYS: ";".join(["%s"] * addresses)} if addresses else {}),
    }
    return (
        _external_secret(settings, VARIABLES, variables(settings), around),
        _external_secret(settings, REDIS_SECRET, {"redis-password": GeneratedSecret.CHAT_REDIS_PASSWORD}, {}),
    )


def mark(settings: Settings, secret: str) -> str:
    """Short text that changes with the content of `secret`: with versions, and with the server after a restore."""
    return next(one.templates[VERSIONS_KEY] for one in external_secrets(settings) if one.name == secret)


def _external_secret(
    settings: Settings, name: str, keys: Mapping[str, GeneratedSecret | str], around: Mapping[str, str]
) -> ExternalSecret:
    own = {key: secret for key, secret in keys.items() if not isinstance(secret, GeneratedSecret)}
    current = secret_mark(
        settings.secrets.versions,
        [secret for secret in keys.values() if isinstance(secret, GeneratedSecret)],
        sorted(keys),
        len(backends(settings).openai),
        settings.database.generation,
        # Terraform knows no versions of what people write; another name is another secret.
        *([own] if own else []),
        # How the server is addressed, so that pods start with it.
        *(url.partition("?")[2] for key, url in around.items() if key == "DATABASE_URL"),
    )
    return ExternalSecret(namespace=NAMESPACE, name=name, keys=keys, templates={**around, VERSIONS_KEY: current})
