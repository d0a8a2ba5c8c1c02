"""The secrets that the platform generates for itself: names in the vault, form, and which can be rotated."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class GeneratedSecret(StrEnum):
    """A secret that Terraform draws once per version and writes to the vault, never to its state.

    The value is the secret's name in the vault and the key under `secrets.versions`.
    """

    DATABASE_ADMINISTRATOR_PASSWORD = "database-administrator-password"  # noqa: S105 (a name, not a secret)
    DATABASE_CHAT_PASSWORD = "database-chat-password"  # noqa: S105
    DATABASE_GATEWAY_PASSWORD = "database-gateway-password"  # noqa: S105
    CHAT_SECRET_KEY = "chat-secret-key"  # noqa: S105
    CHAT_OAUTH_ENCRYPTION_KEY = "chat-oauth-encryption-key"
    CHAT_REDIS_PASSWORD = "chat-redis-password"  # noqa: S105
    CHAT_ADMIN_PASSWORD = "chat-admin-password"  # noqa: S105
    GATEWAY_MASTER_KEY = "gateway-master-key"
    GATEWAY_SALT_KEY = "gateway-salt-key"
    GATEWAY_CHAT_KEY = "gateway-chat-key"
    GATEWAY_OPIK_KEY = "gateway-opik-key"
    GATEWAY_REDIS_PASSWORD = "gateway-redis-password"  # noqa: S105
    VLLM_API_KEY = "vllm-api-key"
    OPIK_ENCRYPTION_KEY = "opik-encryption-key"
    OPIK_MYSQL_ROOT_PASSWORD = "opik-mysql-root-password"  # noqa: S105
    OPIK_MYSQL_PASSWORD = "opik-mysql-password"  # noqa: S105
    OPIK_CLICKHOUSE_PASSWORD = "opik-clickhouse-password"  # noqa: S105
    OPIK_CLICKHOUSE_OPERATOR_PASSWORD = "opik-clickhouse-operator-password"  # noqa: S105
    OPIK_MINIO_USER = "opik-minio-user"
    OPIK_MINIO_PASSWORD = "opik-minio-password"  # noqa: S105
    OPIK_REDIS_PASSWORD = "opik-redis-password"  # noqa: S105
    LOGIN_COOKIE_SECRET = "login-cookie-secret"  # noqa: S105
    LOGIN_REDIS_PASSWORD = "login-redis-password"  # noqa: S105
    START_COOKIE_SECRET = "start-cookie-secret"  # noqa: S105
    GRAFANA_ADMIN_PASSWORD = "grafana-admin-password"  # noqa: S105
    GRAFANA_SECRET_KEY = "grafana-secret-key"  # noqa: S105


KEPT = "kept-"
"""How the names of secrets begin that the cluster itself writes into the vault, for the cluster that comes after it."""

INTERNAL_CA = f"{KEPT}internal-ca"
"""Root of the internal CA with its key, in the vault."""
WILDCARD = f"{KEPT}certificate-wildcard"
"""Let's Encrypt's certificate for all hosts of a private environment, in the vault."""


class Alphabet(StrEnum):
    """Characters that a secret is drawn from; none needs quoting in a shell, a URL or a YAML file."""

    LETTERS_AND_DIGITS = "letters-and-digits"
    BASE64_URL = "base64-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """Form of a generated secret."""

    length: int = 32
    """Characters that are drawn."""
    alphabet: Alphabet = Alphabet.LETTERS_AND_DIGITS
    prefix: str = ""
    """Fixed text before the drawn characters."""
    kept_by: str = ""
    """Who keeps the secret, or data encrypted with it, on disk where a new version does not reach.

    Empty when every start reads it again, so that raising its version rotates it.
    """


_FROM_MYSQL_DISK = "MySQL reads it only while its disk is empty"

SECRETS: Mapping[GeneratedSecret, SecretSpec] = {
    GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD: SecretSpec(),
    # PostgreSQL keeps those of the roles, and the Job that prepares the databases sets them again.
    GeneratedSecret.DATABASE_CHAT_PASSWORD: SecretSpec(),
    GeneratedSecret.DATABASE_GATEWAY_PASSWORD: SecretSpec(),
    GeneratedSecret.CHAT_SECRET_KEY: SecretSpec(length=64),
    GeneratedSecret.CHAT_OAUTH_ENCRYPTION_KEY: SecretSpec(
        kept_by="the chat's database holds sessions encrypted with it"
    ),
    GeneratedSecret.CHAT_REDIS_PASSWORD: SecretSpec(),
    GeneratedSecret.CHAT_ADMIN_PASSWORD: SecretSpec(kept_by="the chat's database keeps its hash"),
    GeneratedSecret.GATEWAY_MASTER_KEY: SecretSpec(length=48, prefix="sk-"),
    GeneratedSecret.GATEWAY_SALT_KEY: SecretSpec(
        length=48, prefix="sk-", kept_by="the LLM gateway's database holds credentials encrypted with it"
    ),
    # Keys of the LLM gateway for callers of the platform's own; it registers the current value at every deployment.
    GeneratedSecret.GATEWAY_CHAT_KEY: SecretSpec(length=48, prefix="sk-"),
    GeneratedSecret.GATEWAY_OPIK_KEY: SecretSpec(length=48, prefix="sk-"),
    GeneratedSecret.GATEWAY_REDIS_PASSWORD: SecretSpec(),
    GeneratedSecret.VLLM_API_KEY: SecretSpec(length=48),
    # AES takes 16, 24 or 32 bytes.
    GeneratedSecret.OPIK_ENCRYPTION_KEY: SecretSpec(
        length=32, kept_by="Opik's database holds provider keys encrypted with it"
    ),
    GeneratedSecret.OPIK_MYSQL_ROOT_PASSWORD: SecretSpec(kept_by=_FROM_MYSQL_DISK),
    GeneratedSecret.OPIK_MYSQL_PASSWORD: SecretSpec(kept_by=_FROM_MYSQL_DISK),
    GeneratedSecret.OPIK_CLICKHOUSE_PASSWORD: SecretSpec(),
    GeneratedSecret.OPIK_CLICKHOUSE_OPERATOR_PASSWORD: SecretSpec(),
    GeneratedSecret.OPIK_MINIO_USER: SecretSpec(length=20),
    GeneratedSecret.OPIK_MINIO_PASSWORD: SecretSpec(length=40),
    GeneratedSecret.OPIK_REDIS_PASSWORD: SecretSpec(),
    # oauth2-proxy takes 32 characters of base64 for the URL.
    GeneratedSecret.LOGIN_COOKIE_SECRET: SecretSpec(length=32, alphabet=Alphabet.BASE64_URL),
    GeneratedSecret.LOGIN_REDIS_PASSWORD: SecretSpec(),
    GeneratedSecret.START_COOKIE_SECRET: SecretSpec(length=32, alphabet=Alphabet.BASE64_URL),
    GeneratedSecret.GRAFANA_ADMIN_PASSWORD: SecretSpec(),
    # Encrypts what is in a database that goes with its pod, so a new one loses nothing.
    GeneratedSecret.GRAFANA_SECRET_KEY: SecretSpec(length=48),
}
"""Every generated secret and its form."""
