"""The providers' own schemas of every type that the code uses.

They lie in ``schemas.json.gz``, cut out of ``terraform providers schema -json`` by ``schema_cut.py``: per provider its
version and, per kind and type, the schema without its descriptions.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Block = dict[str, Any]
Key = tuple[str, str]
Content = Mapping[str, Mapping[str, Any]]

FILE = Path(__file__).with_name("schemas.json.gz")

PROVIDERS = ("azurerm", "azuread", "kubernetes", "helm", "random")

KINDS = ("resource", "data", "ephemeral", "provider")
"""Kinds of types; the only type of the kind ``provider`` is the provider's configuration, named as the provider."""


class SchemaError(LookupError):
    """There is no schema of a provider or type that was asked for."""


class Schemas:
    """Schemas of all pinned providers, in the form that ``schema_cut.cut`` gives them."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def version(self, provider: str) -> str:
        """Return the version of a provider, such as ``4.55.0``. Raises SchemaError for one that is not in the file."""
        return str(self._provider(provider)["version"])

    def schema(self, kind: str, type_name: str) -> dict[str, Any]:
        """Return ``version`` and ``block`` of one type.

        Raises SchemaError where its provider or the type itself is not in the file.
        """
        provider = provider_of(type_name)
        try:
            found: dict[str, Any] = self._provider(provider)[kind][type_name]
        except KeyError:
            raise SchemaError(f"provider {provider} has no {kind} type {type_name!r} in {FILE.name}") from None
        return found

    def block(self, kind: str, type_name: str) -> Block:
        """Return the block of one type. Raises SchemaError as `schema` does."""
        block: Block = self.schema(kind, type_name)["block"]
        return block

    def types(self, provider: str) -> list[Key]:
        """Return every ``(kind, type name)`` of a provider."""
        known = self._provider(provider)
        return [(kind, name) for kind in KINDS for name in known.get(kind, {})]

    def _provider(self, provider: str) -> Mapping[str, Any]:
        if provider not in self._content:
            raise SchemaError(f"provider {provider!r} is not one of {', '.join(self._content)}")
        return self._content[provider]


def provider_of(type_name: str) -> str:
    """Return the provider that a type belongs to, by the prefix of its name."""
    return type_name.split("_", 1)[0]


@cache
def pinned() -> Schemas:
    """Return the schemas of the file, read once per process."""
    return Schemas(json.loads(gzip.decompress(FILE.read_bytes())))
