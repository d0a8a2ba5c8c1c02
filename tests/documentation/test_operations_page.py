"""Every command of the original installations has a successor, which a test proves and the runbook shows."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "operations.md").read_text("utf-8")
RUNBOOK = (ROOT / "docs" / "how-to" / "runbook.md").read_text("utf-8")
PROMISES = YAML(typ="safe").load(ROOT / "tests" / "promises" / "operations.yaml")
ROWS = {
    cells[0]: cells[1]
    for line in PAGE.splitlines()
    if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split(" | ")]) == 2
}
ROWS.pop("original")
VERBS_OF_A_COMPONENT = {"status", "logs", "follow", "events", "restart", "stop", "start", "scale", "shell"}


def commands(cell: str) -> list[str]:
    """Return noun and verb of each command in a cell."""
    return [" ".join(re.findall(r"^llmctl ([a-z-]+(?: [a-z-]+)?)", line)) for line in re.findall(r"`([^`]+)`", cell)]


@cache
def _tests_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_has_its_test_and_no_test_is_of_no_row() -> None:
    assert [promise["original"] for promise in PROMISES] == list(ROWS)
    assert len(ROWS) == 41


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise["original"])
def test_the_test_of_a_row_is_there(promise: dict[str, str]) -> None:
    path, _, name = promise["test"].partition("::")
    assert name in _tests_of(path)


def test_each_defect_of_the_originals_is_kept_away_by_a_test() -> None:
    defects = YAML(typ="safe").load(ROOT / "tests" / "promises" / "operations_defects.yaml")
    listed = [int(found[1]) for line in PAGE.splitlines() if (found := re.match(r"\| (\d+) \|", line))]
    assert list(defects) == listed == list(range(1, 23))
    for test in defects.values():
        path, _, name = test.partition("::")
        assert name in _tests_of(path), test


@pytest.mark.parametrize("row", ROWS)
def test_every_row_names_commands_and_the_runbook_shows_one_of_them(row: str) -> None:
    named = commands(ROWS[row])
    assert named
    assert all(named), "every cell is a command line of llmctl"
    shown = {one for line in RUNBOOK.splitlines() if line.startswith("| ") for one in commands(line) if one}
    verbs = {word for command in shown for word in command.split()} & VERBS_OF_A_COMPONENT
    assert [one for one in named if one in shown or verbs & set(one.split())]


def test_each_part_of_the_original_private_access_has_its_place_and_a_test() -> None:
    page = (ROOT / "docs" / "reference" / "private-access.md").read_text("utf-8")
    section = page.partition("## From the original installation")[2]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    promises = YAML(typ="safe").load(ROOT / "tests" / "promises" / "private_access.yaml")
    assert [promise["there"] for promise in promises] == [row[0] for row in rows]
    assert len(rows) == 7
    assert all(len(row) == 3 and all(row) for row in rows)
    for promise in promises:
        for test in [promise["test"]] if isinstance(promise["test"], str) else promise["test"]:
            path, _, name = test.partition("::")
            assert name in _tests_of(path), test
