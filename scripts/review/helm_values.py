"""The values of a Helm release before and after a change, as one readable difference."""

from collections.abc import Mapping
from typing import Any

from .differences import KNOWN_LATER, is_unknown
from .masking import Masks, child
from .yaml_diff import merged, yaml_diff


def values_diff(change: Mapping[str, Any], masks: Masks) -> tuple[str, ...]:
    """Return the difference between the values of a Helm release before and after, as lines of YAML."""
    sides = []
    for side in ("before", "after"):
        layers = (change.get(side) or {}).get("values")
        mark = child(change.get(f"{side}_sensitive", False), "values")
        if mark is True or (isinstance(mark, list) and True in mark):
            return ("  # values are sensitive",)
        sides.append(layers)
    unknown = child(change.get("after_unknown", {}), "values")
    if sides[0] == sides[1] and not is_unknown(unknown):
        return ()
    if not isinstance(sides[1], list):
        return (f"  # values are {KNOWN_LATER}",)
    try:
        before, after = merged(sides[0] or []), merged(sides[1])
    except ValueError:
        return ("  # values cannot be read as YAML",)
    hidden = masks.value(before), masks.value(after)
    lines = tuple(yaml_diff(hidden[0], _told_changed(before, after, *hidden)))
    note = ("  # the rest is known after apply",) if is_unknown(unknown) else ()
    return (*lines, *note)


def _told_changed(before: Any, after: Any, hidden_before: Any, hidden_after: Any) -> Any:
    """Return `hidden_after` with a note where a masked value changes, which its mask would hide."""
    if isinstance(hidden_before, dict) and isinstance(hidden_after, dict):
        return {
            key: _told_changed(before[key], after[key], hidden_before[key], value) if key in hidden_before else value
            for key, value in hidden_after.items()
        }
    if hidden_before != hidden_after or before == after:
        return hidden_after
    if isinstance(hidden_after, list):
        pairs = zip(before, after, hidden_before, hidden_after, strict=True)
        return [_told_changed(*pair) for pair in pairs]
    return f"{hidden_after} (changed)"
