"""Where the providers' schemas come from, and one look-up for all of them.

Two sources with one shape, that of ``terraform providers schema -json``: *derived* from the pinned bindings (always
there, cached under ``~/.cache/llm-platform``), and *real*, the dumps in the folder that ``PROVIDER_SCHEMAS`` names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import bindings, corrections, generated_source

Block = dict[str, Any]
Key = tuple[str, str]

REAL_SCHEMAS = "PROVIDER_SCHEMAS"

_REAL_SECTIONS = {
    "resource": "resource_schemas",
    "data": "data_source_schemas",
    "ephemeral": "ephemeral_resource_schemas",
}


class SchemaError(LookupError):
    """A schema that was asked for does not exist, or its source cannot be read."""


@dataclass(frozen=True)
class ProviderSchema:
    """The schemas of one provider; ``blocks`` maps ``(kind, type name)`` to a block.

    ``kind`` is ``resource``, ``data``, ``ephemeral`` or ``provider`` (whose type name is the provider's own).
    """

    provider: str
    version: str
    blocks: dict[Key, Block]


class Schemas:
    """Schemas of all pinned providers from one source, loaded when first asked for."""

    def __init__(self, load: Callable[[str], ProviderSchema]) -> None:
        self._load = cache(load)

    def block(self, provider: str, kind: str, type_name: str) -> Block:
        """Return the block of one type.

        Raises SchemaError where the provider is not one of ours or has no such type.
        """
        if provider not in bindings.PROVIDERS:
            raise SchemaError(f"provider {provider!r} is not one of {', '.join(bindings.PROVIDERS)}")
        try:
            return self._load(provider).blocks[kind, type_name]
        except KeyError:
            raise SchemaError(f"provider {provider} has no {kind} type {type_name!r}") from None

    def types(self, provider: str) -> Iterable[Key]:
        """Return every ``(kind, type name)`` of a provider."""
        return self._load(provider).blocks


def provider_of(type_name: str) -> str:
    """Return the provider a type belongs to, by the prefix of its name."""
    return type_name.split("_", 1)[0]


def default_cache() -> Path:
    """Return the folder for derived schemas, outside of any checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "llm-platform" / "provider-schemas"


def fingerprint(provider: str) -> str:
    """Return a name that changes when the binding or the way it is read changes."""
    digest = hashlib.sha256()
    for module in (bindings, corrections, generated_source):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(str(bindings.archive(provider).stat().st_size).encode())
    wheel, version = bindings.binding_version(provider)
    return f"{provider}-{version}-{wheel}-{digest.hexdigest()[:12]}"


def digest(*parts: str) -> str:
    """Return twelve hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def derive(provider: str) -> ProviderSchema:
    """Read all schemas of a provider out of its installed binding (up to three seconds for azurerm)."""
    blocks = bindings.read_all(provider)
    for (kind, name), block in blocks.items():
        corrections.correct(kind, name, block)
    for name, block in corrections.EPHEMERAL.items():
        if provider_of(name) == provider:
            blocks["ephemeral", name] = block
    return ProviderSchema(provider, bindings.binding_version(provider)[1], blocks)


def derived(provider: str, folder: Path | None = None) -> ProviderSchema:
    """Return the derived schemas of a provider from the cache, filling it first where needed."""
    path = (folder or default_cache()) / f"{fingerprint(provider)}.json"
    try:
        stored = json.loads(path.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        found = derive(provider)
        stored = {f"{kind} {name}": block for (kind, name), block in found.blocks.items()}
        write_atomically(path, json.dumps(stored, separators=(",", ":")).encode())
        return found
    blocks = {(key.split()[0], key.split()[1]): block for key, block in stored.items()}
    return ProviderSchema(provider, bindings.binding_version(provider)[1], blocks)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that others see the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def real(provider: str, folder: Path) -> ProviderSchema:
    """Return the schemas a real provider gave to ``terraform providers schema -json``.

    Raises SchemaError where the folder holds no dump of the pinned version.
    """
    version = bindings.binding_version(provider)[1]
    path = folder / f"{provider}-{version}.json.gz"
    try:
        dump = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        raise SchemaError(
            f"{path} is missing: write it with 'terraform providers schema -json | gzip', or unset {REAL_SCHEMAS}"
        ) from None
    (schemas,) = dump["provider_schemas"].values()
    blocks: dict[Key, Block] = {("provider", provider): schemas["provider"]["block"]}
    for kind, section in _REAL_SECTIONS.items():
        blocks |= {(kind, name): schema["block"] for name, schema in schemas.get(section, {}).items()}
    return ProviderSchema(provider, version, blocks)


def real_folder() -> Path | None:
    """Return the folder of real dumps the caller named, if any."""
    named = os.environ.get(REAL_SCHEMAS)
    return Path(named) if named and re.search(r"\S", named) else None


def available() -> Schemas:
    """Return the real schemas where they are at hand, else the derived ones."""
    folder = real_folder()
    return Schemas(lambda provider: real(provider, folder)) if folder else Schemas(derived)
