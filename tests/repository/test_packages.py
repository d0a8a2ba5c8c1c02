"""What a synthesis imports is installed for everybody, not with the packages of tests alone."""

import ast
import json
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"constructs", "main", "scripts", "stacks"}
COMES_WITH_ANOTHER = {"pydantic-core"}
"""Pydantic pins it to one version, so a line of its own could only contradict it."""


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _needed() -> set[str]:
    files = [ROOT / "main.py", *(ROOT / "stacks").rglob("*.py"), *(ROOT / "constructs").rglob("*.py")]
    modules = set().union(*map(_imported, files)) - OURS - set(sys.stdlib_module_names)
    distributions = packages_distributions()
    return {_plain(distributions[module][0]) for module in modules}


def test_every_package_that_the_stacks_import_is_locked_for_everybody() -> None:
    needed = _needed()
    assert "jinja2" in needed
    installed = json.loads((ROOT / "Pipfile.lock").read_text("utf-8"))["default"]
    assert needed - {_plain(name) for name in installed} == set()


def test_every_package_that_the_stacks_import_is_asked_for_by_name() -> None:
    asked = tomllib.loads((ROOT / "Pipfile").read_text("utf-8"))["packages"]
    needed = _needed()
    assert {"certifi", "cryptography"} <= needed
    assert needed - {_plain(name) for name in asked} == COMES_WITH_ANOTHER
