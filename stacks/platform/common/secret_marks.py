"""Marks by which whoever waits for an external Secret, or restarts with it, tells one version of it from another."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from stacks.settings.secrets.names import GeneratedSecret

VERSIONS_KEY = "secret-versions"
"""Key in a Secret that holds the mark of the versions that it is made of."""


def secret_mark(versions: Mapping[str, int], secrets: Iterable[GeneratedSecret], *further: object) -> str:
    """Short text that changes when a version of one of `secrets` is raised, or anything in `further` changes.

    `versions` are those that the environment has raised, by the secret's name in the vault.
    """
    current = {name.value: versions.get(name.value, 1) for name in secrets}
    text = json.dumps([sorted(current.items()), *further])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
