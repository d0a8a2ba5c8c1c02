"""A provider's schemas as Terraform asks for them."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from scripts.lab.rehearsal.schemas import Block, Key, Schemas

from .messages import NESTING, message

_SECTIONS = {"resource": "resource_schemas", "data": "data_source_schemas", "ephemeral": "ephemeral_resource_schemas"}
_FLAGS = ("required", "optional", "computed", "sensitive", "write_only")


class Served:
    """The schemas of one provider."""

    def __init__(self, schemas: Schemas, provider: str) -> None:
        self._schemas = schemas
        self._provider = provider

    def block(self, kind: str, type_name: str) -> Block:
        """Return the block of one type. Raises SchemaError where the provider has none."""
        return self._schemas.block(kind, type_name)

    def types(self, kind: str) -> list[str]:
        """Return the names of all types of a kind."""
        return [name for of, name in self._schemas.types(self._provider) if of == kind]

    def response(self, selected: Container[Key] | None = None) -> bytes:
        """Return a serialized GetProviderSchema.Response.

        The provider's own schema is always in it, every other type where ``selected`` is None or holds its key.
        """
        whole = message("GetProviderSchema.Response")
        whole.server_capabilities.get_provider_schema_optional = True
        for kind, name in self._schemas.types(self._provider):
            if selected is not None and kind != "provider" and (kind, name) not in selected:
                continue
            schema = self._schemas.schema(kind, name)
            wire = message("Schema", version=schema["version"], block=_block(schema["block"]))
            if kind == "provider":
                whole.provider.CopyFrom(wire)
            else:
                getattr(whole, _SECTIONS[kind]).append(message("SchemaEntry", key=name, value=wire))
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
