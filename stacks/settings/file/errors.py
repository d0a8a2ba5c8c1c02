"""Errors of an environment file: what is wrong where, and how each is reported in one line."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str | int, ...]
"""Where a value stands: names of keys and positions in lists, from the top of the file."""

ABSENT = object()
"""The value of a key that is not in the file."""

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class LocatedError:
    """One thing to change in an environment file."""

    file: str
    line: int | None
    """Line in the file, counted from 1; None when the error has no place there."""
    key: str
    """Dotted key, empty when the error concerns the whole file."""
    value: str
    """The value as it stands in the file, shortened; empty when there is none to show."""
    message: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        subject = f"{self.key} = {self.value}" if self.value else self.key
        return ": ".join(part for part in (place, subject, self.message) if part)


class SettingsError(Exception):
    """The environment file cannot be used; the text has one line per error."""

    def __init__(self, problem: str | Iterable[LocatedError]) -> None:
        self.errors = (LocatedError("", None, "", "", problem),) if isinstance(problem, str) else tuple(problem)
        super().__init__("\n".join(map(str, self.errors)))


def dotted(key: Key) -> str:
    """Return `key` as people write it: `cluster.gpu_pools.a100.max_nodes`, `models[2].pool`."""
    written = ""
    for part in key:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            written += ("." if written else "") + one_line(part)
    return written


def one_line(text: str, longest: int = _LONGEST_VALUE) -> str:
    """Return `text` without line breaks and control characters, at most `longest` characters of it."""
    shown = text if text.isprintable() else json.dumps(text)[1:-1]
    return shown if len(shown) <= longest else f"{shown[: longest // 2]}…"


def shown(value: object) -> str:
    """Return a scalar or a list of numbers as it stands in YAML; empty for all else and for text too long to repeat."""
    if isinstance(value, list) and 0 < len(value) < 10 and all(isinstance(item, int) for item in value):
        return str(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
        return ""
    return one_line(value) or '""'
