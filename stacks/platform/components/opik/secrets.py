"""Opik's passwords: one Kubernetes Secret per consumer, so that none can read more than it uses.

A key that is missing from its Secret would be filled by a public default: the chart's, the operator's, or the one in
the images. So every key is there, and the release waits until all of them are there (`VERSIONS_KEY`).
"""

import hashlib
import json
from collections.abc import Mapping

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.secret_marks import VERSIONS_KEY
from stacks.settings.secrets.names import GeneratedSecret

from .names import NAMESPACE, OPERATOR

STORES = "opik-stores"
"""What the stores themselves start with. The chart puts `opik-` before the name that it is given for ClickHouse."""
BACKEND = "opik-backend-secrets"
LOGIN = "oauth2-proxy-secrets"

OPERATOR_ACCOUNT = "opik_operator"
"""ClickHouse account of the operator."""

REDIS_URL = "redis://:%s@opik-redis-master:6379/"
"""Passwords are of letters and digits, so they stand in a URL as they are."""

KEYS: dict[str, dict[str, GeneratedSecret]] = {
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
    OPERATOR: {"password": GeneratedSecret.OPIK_CLICKHOUSE_OPERATOR_PASSWORD},
    LOGIN: {
        "cookie-secret": GeneratedSecret.LOGIN_COOKIE_SECRET,
        "redis-password": GeneratedSecret.LOGIN_REDIS_PASSWORD,
    },
}
"""Secret to its keys, each with its name in the vault."""


def external_secrets(raised: Mapping[str, int]) -> tuple[ExternalSecret, ...]:
    """All of Opik's Secrets; `raised` are versions that are not 1, by the secret's name in the vault."""
    return tuple(
        ExternalSecret(
            namespace=NAMESPACE,
            name=name,
            keys=keys,
            templates={
                VERSIONS_KEY: versions(raised, name),
                **{key: REDIS_URL for key in keys if key == "REDIS_URL"},
                **({"username": OPERATOR_ACCOUNT} if name == OPERATOR else {}),
            },
        )
        for name, keys in KEYS.items()
    )


def versions(raised: Mapping[str, int], *secrets: str) -> str:
    """Short text that changes when a version of what `secrets` hold is raised; of all of Opik's when none is named.

    `raised` are versions that are not 1, by the secret's name in the vault.
    """
    names = {name.value for secret in secrets or KEYS for name in KEYS[secret].values()}
    current = {name: raised.get(name, 1) for name in sorted(names)}
    return hashlib.sha256(json.dumps(current).encode()).hexdigest()[:12]
