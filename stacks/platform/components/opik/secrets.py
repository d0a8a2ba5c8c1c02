"""Opik's passwords: one Kubernetes Secret per consumer, so that none can read more than it uses.

A key that is missing from its Secret would be filled by a public default: the chart's, the operator's, or the one in
the images. So every key is delivered, and the release waits until all of them are there (`VERSIONS_KEY`).
"""

import hashlib
import json

from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret

STORES = "opik-stores"
"""What the stores themselves start with. The chart puts `opik-` before the name that it is given for ClickHouse."""
BACKEND = "opik-backend-secrets"
EVALUATOR = "opik-python-backend-secrets"
"""The python-backend runs evaluation code that users write, which can read its environment: Redis and nothing else."""
OPERATOR = "altinity-clickhouse-operator"
"""The operator reads its own account from a Secret of exactly its release's name."""
LOGIN = "oauth2-proxy-secrets"

VERSIONS_KEY = "secret-versions"
"""Key in every Secret that tells of which versions in the vault it is made."""

OPERATOR_ACCOUNT = "opik_operator"
"""ClickHouse account of the operator."""

REDIS_URL = "redis://:%s@opik-redis-master:6379/"
"""Passwords are of letters and digits, so they stand in a URL as they are."""

DELIVERED: dict[str, dict[str, GeneratedSecret]] = {
    STORES: {
        "mysql-root-password": GeneratedSecret.OPIK_MYSQL_ROOT_PASSWORD,
        "mysql-password": GeneratedSecret.OPIK_MYSQL_PASSWORD,
        "clickhouse-password": GeneratedSecret.OPIK_CLICKHOUSE_PASSWORD,
        "redis-password": GeneratedSecret.OPIK_REDIS_PASSWORD,
        "minio-user": GeneratedSecret.OPIK_MINIO_USER,
        "minio-password": GeneratedSecret.OPIK_MINIO_PASSWORD,
    },
    BACKEND: {
        "STATE_DB_PASS": GeneratedSecret.OPIK_MYSQL_PASSWORD,
        "ANALYTICS_DB_PASS": GeneratedSecret.OPIK_CLICKHOUSE_PASSWORD,
        "ANALYTICS_DB_MIGRATIONS_PASS": GeneratedSecret.OPIK_CLICKHOUSE_PASSWORD,
        "REDIS_URL": GeneratedSecret.OPIK_REDIS_PASSWORD,
        "AWS_ACCESS_KEY_ID": GeneratedSecret.OPIK_MINIO_USER,
        "AWS_SECRET_ACCESS_KEY": GeneratedSecret.OPIK_MINIO_PASSWORD,
        "OPIK_ENCRYPTION_KEY": GeneratedSecret.OPIK_ENCRYPTION_KEY,
    },
    EVALUATOR: {"REDIS_URL": GeneratedSecret.OPIK_REDIS_PASSWORD},
    OPERATOR: {"password": GeneratedSecret.OPIK_CLICKHOUSE_OPERATOR_PASSWORD},
    LOGIN: {
        "cookie-secret": GeneratedSecret.LOGIN_COOKIE_SECRET,
        "redis-password": GeneratedSecret.LOGIN_REDIS_PASSWORD,
    },
}
"""Secret to its keys, each with its name in the vault."""


def formats(settings: Settings) -> dict[str, dict[str, str]]:
    """Text around a delivered value (`%s`), and keys that are no secret, by Secret and key."""
    texts: dict[str, dict[str, str]] = {
        secret: {VERSIONS_KEY: versions(settings, secret)} | {key: REDIS_URL for key in keys if key == "REDIS_URL"}
        for secret, keys in DELIVERED.items()
    }
    texts[OPERATOR]["username"] = OPERATOR_ACCOUNT
    return texts


def versions(settings: Settings, *secrets: str) -> str:
    """Short text that changes when a version of what `secrets` hold is raised; of all of Opik's when none is named."""
    names = {name.value for secret in secrets or DELIVERED for name in DELIVERED[secret].values()}
    current = {name: settings.secrets.versions.get(name, 1) for name in sorted(names)}
    return hashlib.sha256(json.dumps(current).encode()).hexdigest()[:12]
