"""The dated list of what Azure supports until when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_LIST = Path(__file__).with_name("lifetimes.yaml")
OLD = timedelta(days=180)
"""Age at which the list is no longer relied on without a word."""


@dataclass(frozen=True)
class Lifetimes:
    """Last days of support, by version."""

    renewed: date
    """Day on which the list was renewed."""
    kubernetes: Mapping[str, date]
    kubernetes_long_term: Mapping[str, date]
    postgresql: Mapping[str, date]
    vm_sizes: Mapping[str, date]
    """By regular expression of the name."""
    notices: Mapping[date, str]

    def size_ends(self, size: str) -> date | None:
        """Return when Azure retires a VM size; None where no day is known."""
        return next((day for pattern, day in self.vm_sizes.items() if re.fullmatch(pattern, size)), None)


@cache
def lifetimes(path: Path = _LIST) -> Lifetimes:
    """Return the list of this release."""
    content: dict[str, Any] = YAML(typ="safe").load(path.read_text("utf-8"))
    del content["sources"]
    content["renewed"] = content.pop("date")
    return Lifetimes(**content)
