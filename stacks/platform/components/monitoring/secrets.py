"""Grafana's Secret, and the one of the alerts' receivers."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.traffic import MONITORING
from stacks.settings.monitoring import AlertReceiver
from stacks.settings.secrets.names import GeneratedSecret

from . import receivers

GRAFANA = "grafana-secrets"
ADMIN = "admin"
"""Account for people who come by `llmctl port-forward`; everybody else has the role that Entra gives."""

_KEYS = {
    "admin-password": GeneratedSecret.GRAFANA_ADMIN_PASSWORD,
    "GF_SECURITY_SECRET_KEY": GeneratedSecret.GRAFANA_SECRET_KEY,
}


def external_secrets(receiver: AlertReceiver) -> Iterator[ExternalSecret]:
    """Both Secrets; the second where the receiver of alerts needs a secret."""
    yield ExternalSecret(namespace=MONITORING, name=GRAFANA, keys=_KEYS, templates={"admin-user": ADMIN})
    if secret := receivers.VAULT_SECRETS.get(receiver):
        yield ExternalSecret(namespace=MONITORING, name=receivers.SECRET, keys={receivers.KEY: secret})


def versions(raised: Mapping[str, int]) -> str:
    """Short text that changes when a version of Grafana's secrets is raised.

    `raised` are versions that are not 1, by the secret's name in the vault.
    """
    current = {name: raised.get(name, 1) for name in sorted(name.value for name in _KEYS.values())}
    return hashlib.sha256(json.dumps(current).encode()).hexdigest()[:12]
