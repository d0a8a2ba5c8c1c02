"""No folder is a crowd: whoever opens one sees at most thirty modules, or a map of them by subject."""

import re
import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
MOST = 30
MAPPED = {"constructs": "README.md"}
"""Folders that stay flat, and the page in each that lists its modules by subject."""


def _tracked() -> list[PurePosixPath]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [PurePosixPath(line) for line in listed.stdout.splitlines()]


def test_no_folder_holds_more_than_thirty_modules() -> None:
    counted = Counter(str(path.parent) for path in _tracked() if path.name != "__init__.py")
    assert {folder: count for folder, count in counted.items() if count > MOST and folder not in MAPPED} == {}


@pytest.mark.parametrize(("folder", "page"), MAPPED.items())
def test_the_map_of_a_flat_folder_lists_each_module_once(folder: str, page: str) -> None:
    rows = re.findall(r"^\| [^|]+ \| (`[a-z].*`) \|$", (ROOT / folder / page).read_text("utf-8"), re.MULTILINE)
    listed = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(listed) == sorted(path.stem for path in (ROOT / folder).glob("*.py"))
