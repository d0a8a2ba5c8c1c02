"""A provider's schemas in the form a stand-in serves them: ready-made bytes, parsed only where one is needed."""

from __future__ import annotations

import json
import marshal
from collections.abc import Container
from pathlib import Path
from typing import Any

from .messages import NESTING, message

Block = dict[str, Any]

# A serialized message is the concatenation of its fields, so each type is stored as a message of its own.
_SECTIONS = {"resource": "resource_schemas", "data": "data_source_schemas", "ephemeral": "ephemeral_resource_schemas"}
_FLAGS = ("required", "optional", "computed", "sensitive", "write_only")


class Served:
    """The schemas of one provider as written by :func:`pack`."""

    def __init__(self, path: Path) -> None:
        self._stored: dict[str, tuple[bytes, bytes]] = marshal.loads(path.read_bytes())  # noqa: S302
        self._parsed: dict[tuple[str, str], Block] = {}

    def block(self, kind: str, type_name: str) -> Block:
        """Return the block of one type; raises KeyError where the provider has none."""
        key = (kind, type_name)
        if key not in self._parsed:
            self._parsed[key] = json.loads(self._stored[f"{kind} {type_name}"][0])
        return self._parsed[key]

    def types(self, kind: str) -> list[str]:
        """Return the names of all types of a kind."""
        return [name.split(" ", 1)[1] for name in self._stored if name.startswith(f"{kind} ")]

    def response(self, wanted: Container[str] | None = None) -> bytes:
        """Return a serialized GetProviderSchema.Response; ``wanted`` names types as ``"<kind> <type name>"``.

        The provider's own schema is always in it, every other type where ``wanted`` is None or holds it.
        """
        head = message("GetProviderSchema.Response")
        head.server_capabilities.get_provider_schema_optional = True
        parts = [
            wire
            for name, (_json, wire) in self._stored.items()
            if wanted is None or name in wanted or name.startswith("provider ")
        ]
        return bytes(head.SerializeToString()) + b"".join(parts)


def pack(blocks: dict[tuple[str, str], Block]) -> bytes:
    """Return the bytes of a file that :class:`Served` reads."""
    stored = {}
    for (kind, name), block in blocks.items():
        text = json.dumps(block, separators=(",", ":")).encode()
        stored[f"{kind} {name}"] = (text, _fragment(kind, name, block))
    return marshal.dumps(stored)


def _fragment(kind: str, name: str, block: Block) -> bytes:
    schema = message("Schema", version=0, block=_block(block))
    whole = message("GetProviderSchema.Response")
    if kind == "provider":
        whole.provider.CopyFrom(schema)
    else:
        getattr(whole, _SECTIONS[kind]).append(message("SchemaEntry", key=name, value=schema))
    return bytes(whole.SerializeToString())


def _block(block: Block) -> Any:
    nested = [
        message(
            "NestedBlock",
            type_name=name,
            block=_block(content["block"]),
            nesting=NESTING[content["nesting_mode"]],
            min_items=content.get("min_items", 0),
            max_items=content.get("max_items", 0),
        )
        for name, content in block.get("block_types", {}).items()
    ]
    return message("Block", version=0, attributes=_attributes(block), block_types=nested)


def _attributes(block: Block) -> list[Any]:
    found = []
    for name, attribute in block.get("attributes", {}).items():
        flags = {flag: True for flag in _FLAGS if attribute.get(flag)}
        wire = message("Attribute", name=name, **flags)
        if "nested_type" in attribute:
            nested = attribute["nested_type"]
            wire.nested_type.CopyFrom(
                message("Object", attributes=_attributes(nested), nesting=NESTING[nested["nesting_mode"]])
            )
        else:
            wire.type = json.dumps(attribute["type"], separators=(",", ":")).encode()
        found.append(wire)
    return found
