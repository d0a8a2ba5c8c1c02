"""Every secret of an environment: where it lies, which pods read it, and whether and how it is renewed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.settings import Settings
from stacks.settings.secrets.names import SECRETS, GeneratedSecret

ADMINISTRATOR = GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD
SERVER = "PostgreSQL, and the Job of the databases while it runs"


@dataclass(frozen=True)
class SecretPlace:
    """One secret in the vault."""

    name: str
    """Its name in the vault."""
    version: int | None
    """The version that the environment file asks for; None for one that a person writes."""
    secrets: tuple[str, ...]
    """Kubernetes Secrets with a copy, as NAMESPACE/NAME."""
    readers: tuple[str, ...]
    """Components whose pods read it, as commands name them."""
    kept_by: str = ""
    """Why it is not rotated; empty where it is."""
    also: str = ""
    """Who else reads it."""

    @property
    def generated(self) -> bool:
        """Whether the platform draws it; otherwise a person writes it."""
        return self.version is not None


def secret_places(settings: Settings) -> Mapping[str, SecretPlace]:
    """Return every secret by its name in the vault, those that people write last."""
    components = enabled_components(settings)
    copies = dict(_copies(components))
    found = {
        str(name): SecretPlace(
            str(name),
            settings.secrets.versions.get(name, 1),
            *copies.get(str(name), ((), ())),
            kept_by=spec.kept_by,
            also=SERVER if name is ADMINISTRATOR else "",
        )
        for name, spec in SECRETS.items()
    }
    for name in components.user_secrets():
        found[name] = SecretPlace(name, None, *copies.get(name, ((), ())))
    return found


def _copies(components: EnabledComponents) -> Iterator[tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    owners = {rules.name: one.word or one.name for one in components for rules in one.namespaces(components)}
    found: dict[str, dict[str, str]] = {}
    for secret in components.external_secrets():
        for name in secret.keys.values():
            found.setdefault(str(name), {})[f"{secret.namespace}/{secret.name}"] = owners[secret.namespace]
    for name, places in found.items():
        yield name, (tuple(places), tuple(dict.fromkeys(places.values())))
