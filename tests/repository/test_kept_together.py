"""Live modules that ask the same running programs stay in one process, and their groups begin first."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from tests.support.kept_together import pytest_collection_modifyitems

ROOT = Path(__file__).parents[2]


@dataclass
class Item:
    path: Path
    name: str
    fixturenames: tuple[str, ...] = ()
    live: bool = True
    groups: list[str] = field(default_factory=list)

    @property
    def nodeid(self) -> str:
        return f"{self.path}::{self.name}"

    def get_closest_marker(self, name: str) -> str | None:
        return name if self.live and name == "live" else None

    def add_marker(self, marker: pytest.MarkDecorator) -> None:
        self.groups += marker.mark.args


def test_whatever_asks_the_chat_or_the_gateway_is_one_group_and_every_other_module_its_own() -> None:
    items = [
        Item(Path("test_alone.py"), "alone", ("tmp_path",)),
        Item(Path("test_gateway.py"), "needs nothing"),
        Item(Path("test_gateway.py"), "gateway", ("stage", "tmp_path")),
        Item(Path("test_people.py"), "people", ("network", "stage", "chat")),
        Item(Path("test_mixed.py"), "gateway only", ("stage",)),
        Item(Path("test_mixed.py"), "chat", ("chat", "stage")),
        Item(Path("test_fast.py"), "fast", live=False),
    ]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [(item.name, item.groups) for item in items] == [
        ("fast", []),
        ("people", ["chat"]),
        ("gateway only", ["chat"]),
        ("chat", ["chat"]),
        ("needs nothing", ["stage"]),
        ("gateway", ["stage"]),
        ("alone", ["test_alone.py"]),
    ]


MODULE = """
import pytest

pytestmark = pytest.mark.live

@pytest.fixture
def chat():
    return "a program"

def test_first(chat):
    pass

def test_second():
    pass
"""


@pytest.mark.slow
def test_pytest_xdist_reads_the_groups(tmp_path: Path) -> None:
    """It writes them into the ids of tests, in a hook of its own that comes after this one."""
    (tmp_path / "test_shared.py").write_text(MODULE)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.support.kept_together"]\n')
    command = [sys.executable, "-m", "pytest", "-v", "-n", "1", "--dist", "loadgroup", "-p", "xdist"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", "-c", "/dev/null", str(tmp_path)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert set(re.findall(r"::test_\w+@\w+", done.stdout)) == {"::test_first@chat", "::test_second@chat"}, done.stdout
