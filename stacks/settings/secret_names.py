"""The secrets that the platform generates for itself, by their names in the vault."""

from enum import StrEnum


class GeneratedSecret(StrEnum):
    """A secret that Terraform generates once per version and writes to the vault, never to its state."""

    DATABASE_ADMINISTRATOR_PASSWORD = "database-administrator-password"  # noqa: S105 (the name, not the secret)
    DATABASE_CHAT_PASSWORD = "database-chat-password"  # noqa: S105
    DATABASE_GATEWAY_PASSWORD = "database-gateway-password"  # noqa: S105
    CHAT_SECRET_KEY = "chat-secret-key"  # noqa: S105
    CHAT_OAUTH_ENCRYPTION_KEY = "chat-oauth-encryption-key"
    CHAT_REDIS_PASSWORD = "chat-redis-password"  # noqa: S105
    GATEWAY_MASTER_KEY = "gateway-master-key"
    GATEWAY_SALT_KEY = "gateway-salt-key"
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

    @property
    def kept_by(self) -> str | None:
        """Who keeps the secret, or data encrypted with it, on disk where a new version would not reach; or None.

        A secret that nobody keeps is read anew at every start, so raising its version rotates it.
        """
        return _KEPT_BY.get(self)


_KEPT_BY: dict[GeneratedSecret, str] = {
    GeneratedSecret.DATABASE_CHAT_PASSWORD: "PostgreSQL keeps the password of the role",
    GeneratedSecret.DATABASE_GATEWAY_PASSWORD: "PostgreSQL keeps the password of the role",
    GeneratedSecret.CHAT_OAUTH_ENCRYPTION_KEY: "the chat's database holds sessions encrypted with it",
    GeneratedSecret.GATEWAY_SALT_KEY: "the gateway's database holds credentials encrypted with it",
    GeneratedSecret.OPIK_ENCRYPTION_KEY: "Opik's database holds provider keys encrypted with it",
    GeneratedSecret.OPIK_MYSQL_ROOT_PASSWORD: "MySQL reads it only when its disk is empty",
    GeneratedSecret.OPIK_MYSQL_PASSWORD: "MySQL reads it only when its disk is empty",
}
