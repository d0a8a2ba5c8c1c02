"""Which address a call is about: the protocol names only types, so the synthesized configuration is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.rehearsal.standin.values import is_unknown


class Addresses:
    """Addresses of the resources in a stack's folder, found by the literal arguments of their configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._resources: dict[str, dict[str, Any]] | None = None

    def of(self, type_name: str, attributes: Mapping[str, Any]) -> str:
        """Return the address of the resource with these attributes, or its type where none fits best."""
        candidates = self._all().get(type_name, {})
        scored = [
            (score, name) for name, body in candidates.items() if (score := _agreement(body, attributes)) is not None
        ]
        if not scored:
            return type_name
        return f"{type_name}.{max(scored)[1]}"

    def _all(self) -> dict[str, dict[str, Any]]:
        if self._resources is None:
            self._resources = {}
            for path in sorted(self._folder.glob("*.tf.json")):
                for type_name, named in json.loads(path.read_bytes()).get("resource", {}).items():
                    self._resources.setdefault(type_name, {}).update(named)
        return self._resources


def _agreement(body: Any, actual: Any) -> int | None:
    """Count the literals two values agree in; None where they contradict each other."""
    if is_unknown(actual) or (isinstance(body, str) and "${" in body):
        return 0
    if isinstance(body, dict):
        if isinstance(actual, list) and len(actual) == 1:  # a block given without its list
            actual = actual[0]
        if not isinstance(actual, Mapping):
            return 0
        scores = [_agreement(value, actual[key]) for key, value in body.items() if key in actual]
        return None if None in scores else sum(score or 0 for score in scores)
    if isinstance(body, str | int | float | bool):
        return 1 if body == actual or actual is None else None
    return 0
