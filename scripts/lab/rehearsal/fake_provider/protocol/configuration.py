"""The synthesized configuration a provider is working for, as far as the protocol leaves it out.

Terraform starts a provider in the stack's folder. From the configuration there a fake provider learns which schemas can
be needed, and the address of a resource, of which the protocol passes only the type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .values import is_unknown

KINDS = ("resource", "data", "ephemeral")


class Configuration:
    """The ``*.tf.json`` files of one folder; ``stack`` is the folder's name."""

    def __init__(self, folder: Path) -> None:
        self.stack = folder.name
        self._sections: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.complete = not any(folder.glob("*.tf"))
        for path in sorted(folder.glob("*.tf.json")):
            content = json.loads(path.read_bytes())
            for kind in KINDS:
                for type_name, labelled in content.get(kind, {}).items():
                    self._sections[kind].setdefault(type_name, {}).update(labelled)
            self.complete = self.complete and "import" not in content

    def types(self) -> set[tuple[str, str]]:
        """Return ``(kind, type name)`` of everything configured here."""
        return {(kind, name) for kind in KINDS for name in self._sections[kind]}

    def address(self, type_name: str, attributes: Mapping[str, Any]) -> str:
        """Return the address of the resource whose literal arguments fit best; the bare type where none fits."""
        labelled = self._sections["resource"].get(type_name, {})
        scores = {
            label: score
            for label, body in labelled.items()
            if (score := _agreement(body, attributes, self._name_of)) is not None
        }
        if not scores:
            return type_name
        return f"{type_name}.{max(scores, key=lambda label: scores[label])}"

    def _name_of(self, type_name: str, label: str) -> str:
        """Return the literal name of a resource; empty where it is given by reference, or there is no such resource."""
        name = self._sections["resource"].get(type_name, {}).get(label, {}).get("name", "")
        return name if isinstance(name, str) and "${" not in name else ""


_ID = re.compile(r"\$\{(?P<type>\w+)\.(?P<label>[\w-]+)\.id\}")
NameOf = Callable[[str, str], str]


def _agreement(body: Any, actual: Any, name_of: NameOf) -> int | None:
    """Count the literals two values agree in; None where they contradict each other.

    A reference to a resource's id agrees with an id that ends in that resource's name: five locks of one name differ in
    nothing else.
    """
    if is_unknown(actual):
        return 0
    if isinstance(body, str) and "${" in body:
        reference = _ID.fullmatch(body)
        name = name_of(reference["type"], reference["label"]) if reference else ""
        return int(bool(name) and isinstance(actual, str) and actual.rpartition("/")[2] == name)
    if isinstance(body, dict):
        if isinstance(actual, list) and len(actual) == 1:  # a block given without its list
            actual = actual[0]
        if not isinstance(actual, Mapping):
            return 0
        scores = [_agreement(value, actual[key], name_of) for key, value in body.items() if key in actual]
        return None if None in scores else sum(score or 0 for score in scores)
    if isinstance(body, str | int | float | bool):
        return 1 if body == actual else None if actual is not None else 0
    return 0
