"""A module and those of this project that it imports as one text, for programs that go into a pod by stdin."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def bundled(module: str, root: Path = ROOT) -> str:
    """Return a module as a program: with all modules of its own top-level package that it imports, directly or not.

    They import each other by their full names (`from scripts.a.b import c`); everything else the pod has to have.
    """
    modules: dict[str, str] = {}
    main = _text(module, root)
    _collect(main, f"{module.partition('.')[0]}.", root, modules)
    return f"""\
import sys, types
for name, text in {modules!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
{main}"""


def _collect(text: str, package: str, root: Path, modules: dict[str, str]) -> None:
    """Add what a text imports, each module after those that it imports itself."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (name := node.module or "").startswith(package) and name not in modules:
            found = _text(name, root)
            _collect(found, package, root, modules)
            modules[name] = found


def _text(module: str, root: Path) -> str:
    return root.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8")
