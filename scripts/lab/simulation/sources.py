"""Reads the assumptions with their sources, and applies what the caller wants different."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .assumptions import Assumptions

FILE = Path(__file__).with_name("assumptions.yaml")


class AssumptionError(Exception):
    """An assumption that does not exist or cannot have the value given; the message says which and why."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from."""

    key: str
    value: Any
    source: str
    verified: bool


CALLER = "given by the caller"


def load(changes: Sequence[Mapping[str, Any]] = ()) -> tuple[Assumptions, list[Origin]]:
    """Return the assumptions, each of `changes` (nested mappings of values) applied in turn, and their origins.

    Raises AssumptionError for an unknown key or a value out of bounds.
    """
    origins = dict(_published())
    for path, value in (pair for change in changes for pair in _pairs(change)):
        if path not in origins:
            raise AssumptionError(f"there is no assumption {'.'.join(path)}; there are {_names(origins, path[0])}")
        before = origins[path].value
        merged = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
        origins[path] = Origin(".".join(path), merged, CALLER, verified=True)
    nested: dict[str, dict[str, Any]] = {}
    for (group, key), origin in origins.items():
        nested.setdefault(group, {})[key] = origin.value
    try:
        return Assumptions.model_validate(nested), list(origins.values())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise AssumptionError(f"assumption {where} cannot be {first['input']!r}: {first['msg']}") from None


@cache
def _published() -> Mapping[tuple[str, str], Origin]:
    leaves = {(group, key): leaf for group, keys in _yaml(FILE).items() for key, leaf in keys.items()}
    return {
        path: Origin(".".join(path), leaf["value"], leaf["source"].strip(), not leaf.get("unverified", False))
        for path, leaf in leaves.items()
    }


def changes(file: Path | None, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a file and `GROUP.KEY=VALUE` texts change, in the order to apply it. Raises AssumptionError."""
    return [*([read_changes(file)] if file else []), *(parse_change(text) for text in texts)]


def read_changes(path: Path) -> dict[str, Any]:
    """Return the changes written in a file. Raises AssumptionError when it is not a mapping of mappings in YAML."""
    content = _yaml(path)
    if not isinstance(content, dict) or not all(isinstance(group, dict) for group in content.values()):
        raise AssumptionError(f"{path} must hold groups with values, such as `keda: {{polling_interval_s: 15}}`")
    return content


def parse_change(text: str) -> dict[str, Any]:
    """Return the change that `GROUP.KEY=VALUE` or `GROUP.KEY.ENTRY=VALUE` means; VALUE is YAML.

    Raises AssumptionError for another form.
    """
    path, equals, value = text.partition("=")
    parts = path.strip().split(".", 2)
    if not equals or len(parts) < 2:
        raise AssumptionError(f"{text!r} is no assumption; write GROUP.KEY=VALUE such as keda.polling_interval_s=15")
    try:
        change: Any = YAML(typ="safe").load(value)
    except YAMLError:
        raise AssumptionError(f"{value!r} is no value for {path.strip()}") from None
    for part in reversed(parts):
        change = {part: change}
    return dict(change)


def _yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text("utf-8"))
    except OSError as error:
        raise AssumptionError(f"{path} cannot be read: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise AssumptionError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None


def _pairs(change: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for group, keys in change.items():
        for key, leaf in keys.items():
            stated = isinstance(leaf, dict) and "value" in leaf
            yield (str(group), str(key)), leaf["value"] if stated else leaf


def _names(origins: Mapping[tuple[str, str], Origin], group: str) -> str:
    in_group = [origin.key for path, origin in origins.items() if path[0] == group]
    return ", ".join(in_group or sorted({path[0] for path in origins}))
