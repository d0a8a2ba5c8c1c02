"""Secrets of the vault as rows of the security page: which namespace gets a copy of which."""

from collections.abc import Iterable

from stacks.platform.components.certificates.kept import kept_of
from stacks.platform.components.certificates.names import NAMESPACE as CERT_MANAGER
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.secrets.names import SECRETS


def secrets_table(environments: Iterable[EnabledComponents]) -> str:
    """Return the table of generated and kept secrets with the namespaces that have a copy."""
    readers: dict[str, set[str]] = {str(secret.value): set() for secret in SECRETS}
    for components in environments:
        for delivered in components.external_secrets():
            for name in delivered.keys.values():
                readers.setdefault(str(name), set()).add(delivered.namespace)
        for kept in kept_of(components.settings, components.hosts()):
            readers.setdefault(kept.vault, set()).update({CERT_MANAGER, kept.namespace})
    lines = [
        f"| `{name}` | {', '.join(f'`{namespace}`' for namespace in sorted(namespaces)) or 'none'} |"
        for name, namespaces in sorted(readers.items())
    ]
    return "\n".join(["| secret in the vault | namespaces with a copy |", "|---|---|", *lines])
