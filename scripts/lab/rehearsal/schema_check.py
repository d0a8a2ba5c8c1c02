"""Checks a synthesized stack against the providers' schemas, without Terraform.

``findings`` is pure: a parsed ``cdk.tf.json`` in, readable lines out. What an expression will give is not known here,
so text with ``${`` in it passes for any type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .schemas import Block, Key, SchemaError, Schemas

_META = {
    "resource": {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"},
    "data": {"count", "depends_on", "for_each", "lifecycle", "provider"},
    "ephemeral": {"count", "depends_on", "for_each", "lifecycle", "provider"},
    "provider": {"alias", "version"},
}
_COMMENT = "//"
_BUILT_IN = frozenset({"terraform_remote_state", "terraform_data"})


def findings(stack: Mapping[str, Any], schemas: Schemas) -> list[str]:
    """Return what is wrong with a parsed ``cdk.tf.json``, one line each: address, place, error."""
    found: list[str] = []
    for name, configurations in stack.get("provider", {}).items():
        for position, body in enumerate(_listed(configurations)):
            found += _checked(schemas, ("provider", name), body, f"provider.{name}[{position}]")
    for kind, type_name, label, body in _typed(stack):
        address = ".".join(([] if kind == "resource" else [kind]) + [type_name, label])
        found += _checked(schemas, (kind, type_name), body, address)
    return found


def types_in_use(stacks: Iterable[Mapping[str, Any]]) -> set[Key]:
    """Return every ``(kind, type name)`` that parsed stacks use, their providers included."""
    found: set[Key] = set()
    for stack in stacks:
        found |= {("provider", name) for name in stack.get("provider", {})}
        found |= {(kind, type_name) for kind, type_name, _label, _body in _typed(stack)}
    return found


def _typed(stack: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for kind in ("resource", "data", "ephemeral"):
        for type_name, labelled in stack.get(kind, {}).items():
            if type_name not in _BUILT_IN:
                for label, body in labelled.items():
                    yield kind, type_name, label, body


def _checked(schemas: Schemas, key: Key, body: Any, address: str) -> list[str]:
    try:
        block = schemas.block(*key)
    except SchemaError as unknown:
        return [f"{address}: {unknown}"]
    return [f"{address}: {error}" for error in _block(block, body, "", _META[key[0]])]


def _block(block: Block, body: Any, path: str, meta: Iterable[str] = ()) -> Iterator[str]:
    if not isinstance(body, Mapping):
        yield f"{path or 'body'} must be a block, not {_shown(body)}"
        return
    attributes, nested = block.get("attributes", {}), block.get("block_types", {})
    given = {name: value for name, value in body.items() if value is not None and name != _COMMENT}
    dynamic = set(given.pop("dynamic", {}))
    for name, value in given.items():
        place = f"{path}.{name}" if path else name
        if name in attributes:
            yield from _attribute(attributes[name], value, place)
        elif name in nested:
            yield from _nested(nested[name], value, place)
        elif name not in meta:
            yield f"{place} is not known"
    for name, attribute in attributes.items():
        if attribute.get("required") and name not in given:
            yield f"{f'{path}.{name}' if path else name} is required and missing"
    for name, content in nested.items():
        if content.get("min_items") and name not in given and name not in dynamic:
            yield f"{f'{path}.{name}' if path else name}: the block is required and missing"


def _nested(content: Block, value: Any, path: str) -> Iterator[str]:
    if _expression(value):
        yield f"{path} is a block and cannot be an expression"
        return
    if content["nesting_mode"] == "map":
        items = list(value.values()) if isinstance(value, Mapping) else [value]
    else:
        items = _listed(value)
    if len(items) < content.get("min_items", 0):
        yield f"{path}: at least {content['min_items']} are needed, {len(items)} are given"
    most = 1 if content["nesting_mode"] in {"single", "group"} else content.get("max_items", 0)
    if most and len(items) > most:
        yield f"{path}: at most {most} can be given, not {len(items)}"
    for position, item in enumerate(items):
        yield from _block(content["block"], item, path if len(items) == 1 else f"{path}[{position}]")


def _attribute(attribute: Block, value: Any, path: str) -> Iterator[str]:
    if not (attribute.get("required") or attribute.get("optional")):
        yield f"{path} is decided by the provider and cannot be set"
    elif "nested_type" not in attribute:
        yield from _value(attribute["type"], value, path)
    elif not _expression(value):
        nested = attribute["nested_type"]
        if nested["nesting_mode"] == "single":
            yield from _block(nested, value, path)
        elif nested["nesting_mode"] == "map":
            yield from _value(["map", "dynamic"], value, path)
        else:
            for position, item in enumerate(value if isinstance(value, list) else [value]):
                if not _expression(item):
                    yield from _block(nested, item, f"{path}[{position}]")


def _value(kind: Any, value: Any, path: str) -> Iterator[str]:
    if value is None or kind == "dynamic" or _expression(value):
        return
    if isinstance(kind, str):
        if not _fits(kind, value):
            yield f"{path} must be a {kind}, not {_shown(value)}"
        return
    shape, inner = kind
    if shape in {"list", "set"}:
        if isinstance(value, Mapping) and isinstance(inner, list):
            value = [value]  # one block stands for a list of one
        if not isinstance(value, list):
            yield f"{path} must be a {shape}, not {_shown(value)}"
            return
        for position, item in enumerate(value):
            yield from _value(inner, item, f"{path}[{position}]")
    elif not isinstance(value, Mapping):
        yield f"{path} must be a {'map' if shape == 'map' else 'block'}, not {_shown(value)}"
    elif shape == "map":
        for key, item in value.items():
            yield from _value(inner, item, f"{path}[{key!r}]")
    else:
        yield from _object(inner, value, path)


def _object(members: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, item in value.items():
        if key in members:
            yield from _value(members[key], item, f"{path}.{key}")
        else:
            yield f"{path}.{key} is not known"


def _fits(kind: str, value: Any) -> bool:
    if kind == "bool":
        return isinstance(value, bool) or value in {"true", "false"}
    if kind == "number":
        return (isinstance(value, int | float) and not isinstance(value, bool)) or _numeric(value)
    return isinstance(value, str | int | float)


def _numeric(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)


def _expression(value: Any) -> bool:
    return isinstance(value, str) and ("${" in value or "%{" in value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
