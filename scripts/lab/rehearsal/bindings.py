"""Terraform schemas, read out of the pinned CDKTF provider bindings.

Each binding wheel carries its npm package; every ``lib/<type>/index.js`` in it has a source map with the generated
TypeScript. That source states, per attribute, whether it is computed, optional or required, what type it has and
whether it is a block, so no provider has to be downloaded to know its schema.

Not stated there: descriptions, ``sensitive``, ``write_only``, the exact item bounds of blocks, ephemeral types.
``corrections.py`` holds what of that matters.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from .generated_source import Block, UnknownTypeError, block_of

PROVIDERS = ("azurerm", "azuread", "kubernetes", "helm", "random")

# Providers written with the plugin framework describe objects as nested attributes; the SDK ones as object types.
_NESTED_ATTRIBUTES = frozenset({"helm"})


def binding_version(provider: str) -> tuple[str, str]:
    """Return the versions of the installed binding wheel and of the Terraform provider it was generated from."""
    wheel = metadata.version(f"cdktf-cdktf-provider-{provider}")
    return wheel, _provider_version(provider)


def _package_root(provider: str) -> Path:
    root = metadata.distribution(f"cdktf-cdktf-provider-{provider}").locate_file(f"cdktf_cdktf_provider_{provider}")
    return Path(str(root))


def _provider_version(provider: str) -> str:
    source = (_package_root(provider) / "provider" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(rf"providers/hashicorp/{provider}/([0-9.]+)/docs", source)
    if not found:
        raise UnknownTypeError(f"the installed {provider} binding does not state its provider version")
    return found[1]


def archive(provider: str) -> Path:
    """Return the npm package inside the installed binding of ``provider``."""
    return next((_package_root(provider) / "_jsii").glob("*.jsii.tgz"))


def read_all(provider: str) -> dict[tuple[str, str], Block]:
    """Return the block of every resource, data source and of the provider itself, by ``(kind, type name)``."""
    sources: dict[str, str] = defaultdict(str)
    for folder, source in _sources(archive(provider)):
        sources[folder] += source  # the largest types are spread over several modules
    nested_attributes = provider in _NESTED_ATTRIBUTES
    return dict(block_of(source, nested_attributes=nested_attributes) for source in sources.values())


def _sources(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the folder and the generated TypeScript of every module that defines a type, or a part of one."""
    with tarfile.open(package, "r|gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if len(parts) > 3 and parts[1] == "lib" and parts[-1].endswith(".js"):
                source = _typescript((tar.extractfile(member) or io.BytesIO()).read())
                if source:
                    yield parts[2], source


def _typescript(javascript: bytes) -> str:
    marker = b"sourceMappingURL=data:application/json;base64,"
    _code, found, encoded = javascript.rpartition(marker)
    if not found:
        return ""
    return str(json.loads(base64.b64decode(encoded))["sourcesContent"][0])
