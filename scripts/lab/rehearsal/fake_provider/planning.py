"""What a provider answers to a plan, worked out from the schema alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .protocol.values import UNKNOWN, Path, elements, is_unknown

Block = dict[str, Any]
Compute = Callable[[Path, Block], Any]


def without_write_only(block: Block, value: Any) -> Any:
    """Return a value with every write-only attribute null: Terraform must never keep one."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("write_only"):
            found[name] = None
        elif "nested_type" in attribute:
            found[name] = _each(attribute["nested_type"], found.get(name), without_write_only)
    for name, nested in block.get("block_types", {}).items():
        found[name] = _each(nested, found.get(name), without_write_only)
    return found


def _each(nested: Block, value: Any, change: Callable[[Block, Any], Any]) -> Any:
    if value is None or is_unknown(value):
        return value
    block = nested.get("block", nested)
    mode = nested["nesting_mode"]
    if mode in {"single", "group"}:
        return change(block, value)
    if mode == "map":
        return {key: change(block, item) for key, item in value.items()}
    return [change(block, item) for item in value]


def with_unknowns(block: Block, proposed: Any, prior: Any) -> Any:
    """Return the proposed value with every computed attribute nobody set yet unknown.

    ``prior`` is the same object in the prior state, None where the object is new. Terraform has already copied the
    prior values of computed attributes into the proposal.
    """
    if not isinstance(proposed, dict):
        return proposed
    found = dict(proposed)
    for name, attribute in block.get("attributes", {}).items():
        before = prior.get(name) if prior else None
        if attribute.get("write_only"):
            continue
        if attribute.get("computed") and found.get(name) is None and (prior is None or before is not None):
            found[name] = UNKNOWN
        elif "nested_type" in attribute:
            found[name] = _nested_unknowns(attribute["nested_type"], found.get(name), before)
    for name, nested in block.get("block_types", {}).items():
        found[name] = _nested_unknowns(nested, found.get(name), prior.get(name) if prior else None)
    return found


def _nested_unknowns(nested: Block, value: Any, prior: Any) -> Any:
    if value is None or is_unknown(value):
        return value
    block = nested.get("block", nested)
    mode = nested["nesting_mode"]
    if mode in {"single", "group"}:
        return with_unknowns(block, value, prior)
    if mode == "map":
        return {key: with_unknowns(block, item, (prior or {}).get(key)) for key, item in value.items()}
    before = elements(prior, mode)
    if mode == "set":
        return [with_unknowns(block, item, item if item in before else None) for item in value]
    return [
        with_unknowns(block, item, before[index] if index < len(before) else None) for index, item in enumerate(value)
    ]


def fill(block: Block, planned: Any, compute: Compute, path: Path = ()) -> Any:
    """Return the planned value with every unknown replaced by ``compute(path, attribute)``."""
    if not isinstance(planned, dict):
        return planned
    found = dict(planned)
    for name, attribute in block.get("attributes", {}).items():
        if is_unknown(found.get(name)):
            found[name] = _computed(attribute, compute, (*path, name))
        elif "nested_type" in attribute:
            found[name] = _filled(attribute["nested_type"], found.get(name), compute, (*path, name))
    for name, nested in block.get("block_types", {}).items():
        found[name] = _filled(nested, found.get(name), compute, (*path, name))
    return found


def _computed(attribute: Block, compute: Compute, path: Path) -> Any:
    if "nested_type" not in attribute:
        return compute(path, attribute)
    nested = attribute["nested_type"]
    empty = dict.fromkeys(nested["attributes"], UNKNOWN)
    shaped: Any = empty if nested["nesting_mode"] == "single" else [empty]
    return _filled(nested, shaped, compute, path)


def _filled(nested: Block, value: Any, compute: Compute, path: Path) -> Any:
    if value is None:
        return None
    block = nested.get("block", nested)
    mode = nested["nesting_mode"]
    if is_unknown(value):  # a block the provider itself decides on
        value = [empty_block(block)]
    if mode in {"single", "group"}:
        return fill(block, value, compute, path)
    if mode == "map":
        return {key: fill(block, item, compute, (*path, key)) for key, item in value.items()}
    return [fill(block, item, compute, (*path, index)) for index, item in enumerate(value)]


def empty_block(block: Block) -> dict[str, Any]:
    """Return an object of a block's shape with everything computed unknown and the rest unset."""
    found: dict[str, Any] = {
        name: UNKNOWN if attribute.get("computed") else None for name, attribute in block.get("attributes", {}).items()
    }
    for name, nested in block.get("block_types", {}).items():
        found[name] = {"single": None, "group": None, "map": {}}.get(nested["nesting_mode"], [])
    return found
