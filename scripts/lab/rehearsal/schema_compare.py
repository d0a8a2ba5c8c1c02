"""Differences between two descriptions of the same types that would change what Terraform accepts or shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .schemas import Block, Key, ProviderSchema

_FLAGS = ("required", "optional", "computed", "sensitive", "write_only")
_BOUNDS = ("min_items", "max_items")


def differences(derived: ProviderSchema, real: ProviderSchema, types: Iterable[Key]) -> list[str]:
    """Return one line per difference in the given ``(kind, type name)``s; nothing where both agree."""
    found: list[str] = []
    for key in sorted(types):
        where = " ".join(key)
        if key not in real.blocks or key not in derived.blocks:
            missing = "real" if key not in real.blocks else "derived"
            found.append(f"{where}: not in the {missing} schema of {derived.provider}")
        else:
            found += _block(derived.blocks[key], real.blocks[key], where)
    return found


def _block(derived: Block, real: Block, where: str) -> Iterator[str]:
    yield from _members(derived, real, "attributes", where, _attribute)
    yield from _members(derived, real, "block_types", where, _nested)


def _members(derived: Block, real: Block, section: str, where: str, compare: Any) -> Iterator[str]:
    ours, theirs = derived.get(section, {}), real.get(section, {})
    for name in sorted(ours.keys() | theirs.keys()):
        path = f"{where}.{name}"
        if name not in ours or name not in theirs:
            yield f"{path}: {section} has it only in the {'real' if name in theirs else 'derived'} schema"
        else:
            yield from compare(ours[name], theirs[name], path)


def _attribute(derived: Block, real: Block, path: str) -> Iterator[str]:
    for flag in _FLAGS:
        if bool(derived.get(flag)) != bool(real.get(flag)):
            yield f"{path}: {flag} is {bool(derived.get(flag))}, really {bool(real.get(flag))}"
    if derived.get("type") != real.get("type"):
        yield f"{path}: type is {derived.get('type')}, really {real.get('type')}"
    ours, theirs = derived.get("nested_type"), real.get("nested_type")
    if ours and theirs:
        if ours["nesting_mode"] != theirs["nesting_mode"]:
            yield f"{path}: nesting is {ours['nesting_mode']}, really {theirs['nesting_mode']}"
        yield from _block(ours, theirs, path)


def _nested(derived: Block, real: Block, path: str) -> Iterator[str]:
    if derived["nesting_mode"] != real["nesting_mode"]:
        yield f"{path}: nesting is {derived['nesting_mode']}, really {real['nesting_mode']}"
    for bound in _BOUNDS:
        if derived.get(bound, 0) != real.get(bound, 0):
            yield f"{path}: {bound} is {derived.get(bound, 0)}, really {real.get(bound, 0)}"
    yield from _block(derived["block"], real["block"], path)
