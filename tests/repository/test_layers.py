"""Imports follow the layers, from commands down to what they stand on; the whole tree has one table."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS: dict[str, frozenset[str]] = {
    name: frozenset(below.split())
    for name, below in {
        "constructs": "",
        "stacks": "constructs",
        "main": "stacks constructs scripts.core scripts.images",
        "scripts.bootstrap": "",
        "scripts.core": "",
        "scripts.tools": "scripts.core",
        "scripts.cluster": "scripts.core scripts.tools",
        "scripts.azure": "scripts.core",
        "scripts.cost": "scripts.core",
        "scripts.review": "scripts.core scripts.cost",
        "scripts.pipeline": "scripts.core scripts.cluster",
        "scripts.hcp": "scripts.core scripts.cluster scripts.pipeline",
        "scripts.images": "scripts.core",
        "scripts.gates": "scripts.core scripts.tools",
        "scripts.opik": "scripts.core scripts.cluster scripts.images",
        "scripts.backup": "scripts.core scripts.azure scripts.cluster scripts.cost scripts.opik",
        "scripts.applications": "scripts.core scripts.azure scripts.cluster scripts.opik",
        "scripts.terraform": "scripts.core scripts.bootstrap scripts.cluster scripts.review scripts.tools",
        "scripts.dashboard": "scripts.core",
        "scripts.diagnostics": "scripts.core scripts.cluster scripts.review scripts.terraform",
        "scripts.preflight": "scripts.core scripts.azure scripts.bootstrap scripts.images scripts.tools",
        "scripts.deployment": "scripts.core scripts.cluster scripts.terraform scripts.review scripts.images"
        " scripts.cost scripts.opik scripts.preflight scripts.applications scripts.tools",
    }.items()
}
"""What each package may import of the project, beside itself. The scripts may all import stacks, settings above all."""

NOUNS = {
    "adopt": frozenset({"models"}),
    "engines": frozenset({"models"}),
    "develop": frozenset({"database", "disks", "health", "restore", "state"}),  # drills type their commands
    "restore": frozenset({"backup", "database"}),
}
"""Nouns of the command line that may import another one; all others share what lies below them, or beside them."""

BESIDE_NOUNS = "operations"
"""Folder of the commands that every component's noun has: nouns import it, and it imports none."""


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of the project that a file imports, wherever in it."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def package_of(module: str) -> str:
    """Return the entry of the table that a module belongs to; empty for what is none of the project's layers."""
    return next((name for name in LAYERS if module == name or module.startswith(f"{name}.")), "")


def files(package: str) -> list[Path]:
    path = ROOT / package.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    below = LAYERS[package] | {package, ""} | ({"stacks", "constructs"} if package.startswith("scripts.") else set())
    assert files(package)
    against = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module in imported(path)
        if package_of(module) not in below or module.startswith(("scripts.cli.", "scripts.lab."))
    }
    assert against == set()


def test_the_table_has_no_circle() -> None:
    left = dict(LAYERS)
    while left:
        lowest = [name for name, below in left.items() if not below & left.keys()]
        assert lowest, f"circle among {sorted(left)}"
        for name in lowest:
            del left[name]


def test_the_table_names_every_package_of_the_scripts() -> None:
    packages = {f"scripts.{path.parent.name}" for path in (ROOT / "scripts").glob("*/__init__.py")}
    assert packages - LAYERS.keys() == {"scripts.cli", "scripts.lab"}


def test_what_developers_measure_and_rehearse_with_needs_no_command() -> None:
    against = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files("scripts.lab")
        for module in imported(path)
        if module.startswith("scripts.cli.")
    }
    assert against == set()


def test_a_noun_of_the_command_line_imports_no_other_noun() -> None:
    nouns = {path.parent.name for path in (ROOT / "scripts" / "cli").glob("*/__init__.py")}
    against = {
        f"{path.relative_to(ROOT)} imports {module}"
        for noun in nouns
        for path in files(f"scripts.cli.{noun}")
        for module in imported(path)
        if module.startswith("scripts.cli.")
        and module.split(".")[2] in nouns - {noun, BESIDE_NOUNS} - NOUNS.get(noun, frozenset())
    }
    assert against == set()


def test_no_module_of_a_folder_of_programs_is_named_like_one_of_pythons_own() -> None:
    """A program started by its path finds its folder first: `socket.py` beside it would take the library's place."""
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [Path(name) for name in tracked.split()]
    started = {
        "tests/support/chat",
        "scripts/lab/bench",
        "scripts/lab/rehearsal",
        "scripts/lab/rehearsal/fake_provider",
    }
    assert [str(file) for file in files if str(file.parent) in started and file.stem in sys.stdlib_module_names] == []


def test_programs_started_by_their_path_import_by_full_names() -> None:
    """A program that sets its own search path belongs to no package: a relative import in it fails when it runs."""
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    started = [
        name for name in tracked.split() if re.search(r"^\s*sys\.path\[:?0\] = (str\(|os\.)", text_of(name), re.M)
    ]
    assert {"scripts/lab/rehearsal/app.py", "scripts/cdktf_launcher.py"} <= set(started)
    assert [name for name in started if re.search(r"^\s*from \.", text_of(name), re.M)] == []


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")
