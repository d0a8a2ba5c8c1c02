"""Texts with holes: ``{x}`` is a fact, ``{x|name}`` the last part of the id in it, ``{x|group}`` its resource group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HOLE = re.compile(r"{(\w+)(?:\|(\w+))?}")


def fill_template(template: str, facts: Mapping[str, Any]) -> str:
    """Fill the holes of a template; a fact that is not there leaves nothing."""

    def hole(match: re.Match[str]) -> str:
        value = facts.get(match[1])
        text = "" if value is None else str(value)
        if match[2] == "name":
            return text.rstrip("/").rsplit("/", 1)[-1]
        if match[2] == "group":
            parts = text.split("/")
            return parts[4] if len(parts) > 4 else ""
        return text

    return _HOLE.sub(hole, template)
