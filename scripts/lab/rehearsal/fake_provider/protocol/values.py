"""Terraform's values on the wire: msgpack, with one extension type for what is not known yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack

# Extension 0 is plain unknown; Terraform may send others (unknown with refinements), which are unknown as well.
UNKNOWN = msgpack.ExtType(0, b"\x00")

Path = tuple[str | int, ...]


def decode(content: bytes) -> Any:
    """Return the value of one DynamicValue's msgpack bytes; nothing means null."""
    return msgpack.unpackb(content, raw=False, strict_map_key=False) if content else None


def encode(value: Any) -> bytes:
    """Return the msgpack bytes of a value."""
    return bytes(msgpack.packb(value, use_bin_type=True))


def is_unknown(value: Any) -> bool:
    """Tell whether a value will be known only after something else was applied."""
    return isinstance(value, msgpack.ExtType)


def wholly_known(value: Any) -> bool:
    """Tell whether nothing inside a value is unknown."""
    if isinstance(value, dict):
        return all(wholly_known(item) for item in value.values())
    if isinstance(value, list):
        return all(wholly_known(item) for item in value)
    return not is_unknown(value)


def lookup(value: Any, path: str) -> Any:
    """Return what stands at a dotted path of names and list positions; null where the path leads nowhere.

    An unknown on the way makes the answer unknown. A list is entered at its first element where the path goes on with
    a name, because nearly every Azure block is a list of one.
    """
    for step in path.split("."):
        if is_unknown(value):
            return UNKNOWN
        if isinstance(value, list) and not step.isdigit():
            value = value[0] if value else None
            if is_unknown(value):
                return UNKNOWN
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def elements(value: Any, mode: str) -> list[Any]:
    """Return the objects of a nested block or attribute, whatever its nesting mode."""
    if value is None or is_unknown(value):
        return []
    if mode in {"single", "group"}:
        return [value]
    return list(value.values()) if mode == "map" else list(value)


def strings(value: Any) -> Iterator[str]:
    """Yield every string inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
