"""How everybody who waits for a delivered Secret, or restarts with it, tells one version of it from another."""

import hashlib
import json
from collections.abc import Iterable

from stacks.settings import Settings
from stacks.settings.secret_names import GeneratedSecret

VERSIONS_KEY = "secret-versions"
"""Key in a Secret that holds the mark of the versions that it is made of."""


def secret_mark(settings: Settings, secrets: Iterable[GeneratedSecret], *further: object) -> str:
    """Short text that changes when a version of one of `secrets` is raised, or anything in `further` changes."""
    versions = {name.value: settings.secrets.versions.get(name.value, 1) for name in secrets}
    text = json.dumps([sorted(versions.items()), *further])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
