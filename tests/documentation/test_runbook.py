"""The runbook has every drill, and every drill is in the runbook: what happened, what is typed, what is seen."""

import re
from pathlib import Path

import pytest

from scripts.cli.develop.drills.catalogue import DRILLS
from scripts.lab.drills.base import Drill

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "runbook.md").read_text("utf-8")
_PARTS = [part.partition("\n") for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]]
SECTIONS = {heading: " ".join(text.split()) for heading, _, text in _PARTS if heading != "Everyday symptoms"}


def test_the_runbook_has_the_drills_and_no_others() -> None:
    assert list(SECTIONS) == [drill.name for drill in DRILLS]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_every_section_is_built_alike(drill: Drill) -> None:
    assert re.findall(r"\*\*(.+?)\*\*", SECTIONS[drill.name]) == ["What happened", "Type", "You see"]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_a_section_says_what_happened_what_to_type_and_what_is_seen(drill: Drill) -> None:
    section = SECTIONS[drill.name]
    assert drill.happened in section
    assert drill.seen.replace("`", "") in section.replace("`", "")
    for typed in drill.typed:
        assert f"`{typed}`" in section
