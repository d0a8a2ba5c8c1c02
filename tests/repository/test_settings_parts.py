"""Functions take the parts of the settings that they read: a signature says what a result depends on."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.callables import Function, Module, Sources, parameters

ROOT = Path(__file__).parents[2]
FEW = 2
"""Parts that a function takes one by one; whoever reads more of them may take the settings whole."""
RULES = "stacks/settings/rules/"
"""Rules are handed what their parameters name (`stacks/settings/rules/base.py`), so that they decide on these."""


def wide_parameters(function: Function) -> Iterator[str]:
    for parameter in parameters(function):
        if parameter.annotation and ast.unparse(parameter.annotation).strip("'") in {"Settings", "Settings | None"}:
            yield parameter.arg


def parts_of(module: Module, function: Function, name: str) -> set[str] | None:
    """Return the parts that a function reads of its parameter; None where it hands the whole on, or stores it."""
    used = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    around = [module.above[node] for node in used]
    parts = {node.attr for node in around if isinstance(node, ast.Attribute)}
    whole = any(not isinstance(node, ast.Attribute) for node in around) or any(map(_is_whole, parts))
    return None if whole else parts


def _is_whole(attribute: str) -> bool:
    """Return whether it is one of pydantic's methods, which take the model as it is (`model_copy`)."""
    return attribute.startswith("model_")


def too_wide(sources: Sources) -> Iterator[str]:
    """Yield the functions that take settings whole and read no more than a few parts of them."""
    for module in sources.naming("Settings"):
        for function in module.functions():
            for name in wide_parameters(function):
                parts = parts_of(module, function, name)
                if parts is None or len(parts) > FEW:
                    continue
                if module.path.startswith(RULES) or not sources.is_callback(module, function):
                    yield f"{module.path}: {function.name} reads {', '.join(sorted(parts)) or 'nothing'}"


def tracked(*patterns: str) -> list[str]:
    command = ("git", "ls-files", *patterns)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_a_function_takes_the_few_parts_of_the_settings_that_it_reads() -> None:
    sources = Sources.read(ROOT, tracked("main.py", "stacks/*.py", "scripts/*.py"))
    assert list(too_wide(sources)) == []


def test_a_building_block_knows_no_settings() -> None:
    against = [
        f"{module.path}: {function.name}"
        for module in Sources.read(ROOT, tracked("constructs/*.py")).modules
        for function in module.functions()
        for parameter in parameters(function)
        if parameter.arg == "settings" or "Settings" in ast.unparse(parameter).split()
    ]
    assert against == []


MADE_UP = {
    "reads one part": ("def f(settings: Settings): return settings.chat.enabled", ["chat"]),
    "reads two parts": ("def f(s: 'Settings', x): return s.name + x + s.chat.host + s.name", ["chat, name"]),
    "reads nothing": ("def f(settings: Settings): return 1", ["nothing"]),
    "reads three parts": ("def f(settings: Settings): return (settings.a, settings.b, settings.c)", []),
    "hands it on": ("def f(settings: Settings): return g(settings) + settings.chat.replicas", []),
    "copies it": ("def f(settings: Settings): return settings.model_copy()", []),
    "is called by its name alone": ("def f(s: Settings): return s.chat\nf(1)", ["chat"]),
    "stands in a table": ("def f(s: Settings): return s.chat\nTABLE = {'f': f}", []),
    "is an argument": ("def f(s: Settings): return s.chat\ncall(f)", []),
    "is decorated by the project": (
        "from stacks.rules import rule\n@rule('x')\ndef f(s: Settings): return s.chat",
        [],
    ),
    "is decorated by a library": ("import contextlib\n@contextlib.contextmanager\ndef f(s: Settings): yield s", []),
    "is cached": ("import functools\n@functools.cache\ndef f(s: Settings): return s.chat", ["chat"]),
    "is a method": ("class A:\n  def f(self, s: Settings): return s.chat", ["chat"]),
    "is a method used as a value": (
        "class A:\n  def f(self, s: Settings): return s.chat\n  def g(self): return h(self.f)",
        [],
    ),
    "has the shape of a protocol's method": (
        "class P(Protocol):\n  def f(self, s: Settings): ...\nclass A:\n  def f(self, s: Settings): return s.chat",
        [],
    ),
    "overrides a method": (
        "class B:\n  def f(self, x): ...\nclass A(B):\n  def f(self, s: Settings): return s.chat",
        [],
    ),
    "is a function inside one": ("def f():\n  def g(s: Settings): return s.chat\n  return g(1)", ["chat"]),
    "is returned by one": ("def f():\n  def g(s: Settings): return s.chat\n  return g", []),
}


@pytest.mark.parametrize("source", MADE_UP)
def test_functions_that_others_call_by_an_agreed_form_are_known(source: str) -> None:
    text, expected = MADE_UP[source]
    found = [line.partition(" reads ")[2] for line in too_wide(Sources([Module("stacks/made_up.py", text)]))]
    assert found == expected


def test_a_function_that_another_module_uses_as_a_value_is_known() -> None:
    function = Module("stacks/one.py", "def f(settings: Settings): return settings.chat")
    called = Module("stacks/two.py", "from .one import f\nf(1)")
    passed = Module("scripts/three.py", "from stacks import one as x\ntable = [x.f]")
    alike = Module("scripts/four.py", "f = 1\ntable = [f, y.f]")
    assert list(too_wide(Sources([function, called, alike]))) == ["stacks/one.py: f reads chat"]
    assert list(too_wide(Sources([function, called, alike, passed]))) == []


def test_a_rule_takes_sections_although_it_stands_in_a_table() -> None:
    rule = Module(f"{RULES}one.py", "def f(settings: Settings): return settings.chat\nRULES = (f,)")
    assert list(too_wide(Sources([rule]))) == [f"{RULES}one.py: f reads chat"]
