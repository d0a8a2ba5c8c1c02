"""Differences between two YAML documents, as YAML: changed keys under their parents, `-` before and `+` after."""

import difflib
import io
from collections.abc import Iterator, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

_MISSING = object()
_CONTEXT = 1
"""Unchanged lines shown around a change in a list or in a text of several lines."""


def merged(layers: Sequence[str | None]) -> Any:
    """Return the values that Helm makes of `layers`: maps are merged, everything else is replaced by later layers.

    None stands for a layer that is not known yet. Raises ValueError for a layer that is no YAML mapping.
    """
    result: dict[str, Any] = {}
    for text in layers:
        if text is None:
            continue
        try:
            layer = YAML(typ="safe").load(text) or {}
        except YAMLError as error:
            raise ValueError(f"values are no YAML: {error}") from None
        if not isinstance(layer, dict):
            raise ValueError("values are no mapping")
        result = _merge(result, layer)
    return result


def _merge(base: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in layer.items():
        known = both.get(key)
        both[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return both


def yaml_diff(before: Any, after: Any, indent: int = 0) -> Iterator[str]:
    """Yield the lines of the difference; none when there is no difference."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        if before != after:
            yield from _lines_diff(_dump(before), _dump(after), " " * indent)
        return
    pad = " " * indent
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key, _MISSING), after.get(key, _MISSING)
        if old == new and type(old) is type(new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            inner = list(yaml_diff(old, new, indent + 2))
            if inner:
                yield f"  {pad}{key}:"
                yield from inner
        elif (isinstance(old, list) and isinstance(new, list)) or (_long(old) and _long(new)):
            head = _dump({key: old})[:1]
            yield f"  {pad}{head[0]}" if _long(old) else f"  {pad}{key}:"
            yield from _lines_diff(_body(key, old), _body(key, new), pad)
        else:
            if old is not _MISSING:
                yield from (f"- {pad}{line}" for line in _dump({key: old}))
            if new is not _MISSING:
                yield from (f"+ {pad}{line}" for line in _dump({key: new}))


def _long(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _body(key: Any, value: Any) -> list[str]:
    lines = _dump({key: value})
    return lines[1:] if len(lines) > 1 else [lines[0].partition(":")[2]]


def _lines_diff(before: list[str], after: list[str], pad: str) -> Iterator[str]:
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT):
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (f"  {pad}{line}" for line in before[old_start:old_end])
                continue
            yield from (f"- {pad}{line}" for line in before[old_start:old_end])
            yield from (f"+ {pad}{line}" for line in after[new_start:new_end])


def _dump(value: Any) -> list[str]:
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 10_000
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(_readable(value), stream)
    lines = stream.getvalue().splitlines()
    return [line for line in lines if line != "..."]


def _readable(value: Any) -> Any:
    """Return the value with texts of several lines as YAML's block texts."""
    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return LiteralScalarString(value) if _long(value) else value
