"""Grafana's secrets."""

import hashlib
import json

from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret

GRAFANA = "grafana-secrets"
ADMIN = "admin"
"""Account for people who come by `llmctl port-forward`; everybody else has the role that Entra gives."""

DELIVERED: dict[str, dict[str, GeneratedSecret]] = {
    GRAFANA: {
        "admin-password": GeneratedSecret.GRAFANA_ADMIN_PASSWORD,
        "GF_SECURITY_SECRET_KEY": GeneratedSecret.GRAFANA_SECRET_KEY,
    }
}
"""Secret to its keys, each with its name in the vault."""

FORMATS = {GRAFANA: {"admin-user": ADMIN}}
"""Keys that are no secret, by Secret."""


def versions(settings: Settings) -> str:
    """Short text that changes when a version of a secret is raised."""
    names = sorted(name.value for keys in DELIVERED.values() for name in keys.values())
    current = {name: settings.secrets.versions.get(name, 1) for name in names}
    return hashlib.sha256(json.dumps(current).encode()).hexdigest()[:12]
