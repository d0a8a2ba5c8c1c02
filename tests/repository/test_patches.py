"""Tests hand over what varies; the few that change an attribute instead are listed with their reason."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TESTS = Path(__file__).parents[1]
_PATCH = re.compile(r"\b(?:monkeypatch|patch)\.setattr\(")


def test_attributes_are_changed_only_where_the_list_says_why() -> None:
    listed: dict[str, int] = {}
    for group in YAML(typ="safe").load((TESTS / "patches.yaml").read_text("utf-8")):
        reason: dict[str, Any] = group
        assert reason["why"]
        listed |= reason["files"]
    found = {
        f"tests/{path.relative_to(TESTS)}": count
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__) and (count := len(_PATCH.findall(path.read_text("utf-8"))))
    }
    assert found == listed, "hand it over as an argument, or give the reason in tests/patches.yaml"
