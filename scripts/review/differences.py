"""Attributes before and after a change, as short texts without secrets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .masking import MASK, Masks, child, is_secret_key

KNOWN_LATER = "(known after apply)"
_LONGEST = 160
"""Characters shown of one value in one line."""


@dataclass(frozen=True)
class Difference:
    """One attribute that changes; texts hold no secret."""

    path: str
    before: str
    after: str


def path_text(keys: Sequence[str | int]) -> str:
    """Return a path as `a.b[0].c`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


@dataclass(frozen=True)
class _Pair:
    """A value before and after, with Terraform's marks of what is sensitive and what is not known yet."""

    before: Any
    after: Any
    marks: tuple[Any, Any]
    unknown: Any
    path: tuple[str | int, ...] = ()

    def at(self, key: str | int) -> "_Pair":
        """Return the pair below a key, or below an index that both sides have."""
        return _Pair(
            _below(self.before, key),
            _below(self.after, key),
            (child(self.marks[0], key), child(self.marks[1], key)),
            child(self.unknown, key),
            (*self.path, key),
        )

    @property
    def keys(self) -> list[str]:
        return sorted({*(self.before or {}), *(self.after or {}), *(self.unknown if _is_map(self.unknown) else ())})

    @property
    def key(self) -> str:
        """The innermost name on the path."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")


def _below(value: Any, key: str | int) -> Any:
    if isinstance(value, list) and isinstance(key, int):
        return value[key]
    return value.get(key) if isinstance(value, dict) else None


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def differences_of(change: Mapping[str, Any], masks: Masks, left_out: set[str]) -> Iterator[Difference]:
    """Yield what differs between both sides of a change, except for the attributes `left_out`."""
    marks = change.get("before_sensitive", False), change.get("after_sensitive", False)
    whole = _Pair(change.get("before"), change.get("after"), marks, change.get("after_unknown", {}))
    for key in whole.keys:
        if key not in left_out:
            yield from _difference(whole.at(key), masks)


def _difference(pair: _Pair, masks: Masks) -> Iterator[Difference]:
    before, after = pair.before, pair.after
    if before == after and not is_unknown(pair.unknown):
        return
    path = path_text(pair.path)
    if True in pair.marks or (is_secret_key(pair.key) and isinstance(before or after, str)):
        yield Difference(path, MASK, f"{MASK} (changed)")
    elif pair.unknown is True:
        yield Difference(path, _shown(masks.value(before, pair.marks[0], pair.key)), KNOWN_LATER)
    elif _is_map(before) and _is_map(after):
        for key in pair.keys:
            yield from _difference(pair.at(key), masks)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index in range(len(before)):
            yield from _difference(pair.at(index), masks)
    else:
        old, new = masks.value(before, pair.marks[0], pair.key), masks.value(after, pair.marks[1], pair.key)
        if isinstance(before, list) and isinstance(after, list):
            # Elements that stay would hide the one that changes.
            old, new = (
                [shown for shown, raw in zip(old, before, strict=True) if raw not in after],
                [shown for shown, raw in zip(new, after, strict=True) if raw not in before],
            )
        yield Difference(path, _shown(old), _shown(new) + (" (changed)" if old == new else ""))


def is_unknown(unknown: Any) -> bool:
    """Tell whether any part of a value is known only after the apply."""
    if isinstance(unknown, dict):
        return any(map(is_unknown, unknown.values()))
    if isinstance(unknown, list):
        return any(map(is_unknown, unknown))
    return bool(unknown)


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, str):
        # Text of several lines is compared line by line where it is shown.
        return value if "\n" in value else _cut(json.dumps(value, ensure_ascii=False))
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
