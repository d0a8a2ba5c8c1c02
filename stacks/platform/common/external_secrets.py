"""Secrets that External Secrets copies out of the vault into a namespace.

One wide Secret per consumer: External Secrets opens a new connection to the vault for every secret it reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stacks.settings.secrets.names import GeneratedSecret

ByNamespace = dict[str, dict[str, dict[str, str]]]
"""Namespace to its Secrets by name, each with a text for every key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSecret:
    """One Kubernetes Secret that is made of secrets in the vault."""

    namespace: str
    name: str
    keys: Mapping[str, GeneratedSecret | str]
    """Key in the Secret to the secret's name in the vault."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Text of a key around the value from the vault, for which `%s` stands; text without it is no secret at all."""


def vault_names(secrets: Iterable[ExternalSecret]) -> ByNamespace:
    """Return the secrets' names in the vault by namespace, Secret and key."""
    found: ByNamespace = {}
    for secret in secrets:
        found.setdefault(secret.namespace, {})[secret.name] = {key: str(name) for key, name in secret.keys.items()}
    return found


def templates(secrets: Iterable[ExternalSecret]) -> ByNamespace:
    """Return the texts around the values by namespace, Secret and key, where there are any."""
    found: ByNamespace = {}
    for secret in secrets:
        if secret.templates:
            found.setdefault(secret.namespace, {})[secret.name] = dict(secret.templates)
    return found
