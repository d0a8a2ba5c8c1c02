"""Every construct keeps the contract that `constructs/README.md` states."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cdktf import TerraformElement
from constructs import Construct

FOLDER = Path(__file__).parents[2] / "constructs"
MODULES = sorted(FOLDER.glob("*.py"))
OURS = {path.name.removesuffix(".py") for path in FOLDER.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
"""What an import of this project's own code begins with."""


def _classes() -> Iterator[tuple[str, type[Construct]]]:
    for path in MODULES:
        module = importlib.import_module(f"constructs.{path.stem}")
        for name, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and issubclass(found, Construct):
                yield f"{path.stem}.{name}", found


CONSTRUCTS = dict(_classes())
every_construct = pytest.mark.parametrize("construct", CONSTRUCTS.values(), ids=CONSTRUCTS)
every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


def _source(construct: type[Construct]) -> ast.ClassDef:
    tree = ast.parse(Path(inspect.getfile(construct)).read_text("utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == construct.__name__)
    return found


def _is_composition(construct: type[Construct]) -> bool:
    return construct.__bases__ == (Construct,)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield f"{node.module}"


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_super_init(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "super().__init__"


def test_there_are_constructs_to_hold_it_against() -> None:
    assert len(CONSTRUCTS) >= 28


@every_module
def test_a_module_imports_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    own = {name for name in _imported(tree) if name.partition(".")[0] in OURS - {"constructs"}}
    assert own == set()
    # Neighbours are imported as such, so that the library's name says the library.
    assert {name for name in _imported(tree) if name.startswith("constructs.")} == set()
    assert all(node.level <= 1 for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


@every_module
def test_no_function_takes_a_scope(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            kinds = {ast.unparse(argument.annotation) for argument in arguments if argument.annotation}
            assert kinds.isdisjoint({"Construct", "TerraformStack"}), node.name


@every_module
def test_a_module_is_named_after_its_construct(path: Path) -> None:
    names = {name.partition(".")[2] for name in CONSTRUCTS if name.startswith(f"{path.stem}.")}
    assert not names or path.stem in {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in names}


@every_construct
def test_it_is_a_composition_or_exactly_one_block(construct: type[Construct]) -> None:
    (base,) = construct.__bases__
    assert base is Construct or issubclass(base, TerraformElement)
    if not _is_composition(construct):
        made = [call for call in _calls(_source(construct)) if call.args and ast.unparse(call.args[0]) == "self"]
        assert [ast.unparse(call.func) for call in made] == []


@every_construct
def test_it_takes_scope_and_id_and_the_rest_by_keyword(construct: type[Construct]) -> None:
    own = inspect.signature(construct.__init__)
    kinds = [(parameter.name, parameter.kind) for parameter in own.parameters.values()]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert kinds[:3] == [("self", positional), ("scope", positional), ("id_", positional)]
    assert {kind for _, kind in kinds[3:]} == {inspect.Parameter.KEYWORD_ONLY}
    (init,) = (node for node in _source(construct).body if getattr(node, "name", "") == "__init__")
    assert isinstance(init, ast.FunctionDef)
    assert [ast.unparse(argument.annotation or ast.Constant(None)) for argument in init.args.args[1:]] == [
        "Construct",
        "str",
    ]
    assert all(argument.annotation for argument in init.args.kwonlyargs)


@every_construct
def test_what_it_makes_lies_below_itself(construct: type[Construct]) -> None:
    """The scope goes to the base class and nowhere else."""
    source = _source(construct)
    uses = [node for node in ast.walk(source) if isinstance(node, ast.Name) and node.id == "scope"]
    (call,) = (call for call in _calls(source) if _is_super_init(call))
    assert [ast.unparse(argument) for argument in call.args] == ["scope", "id_"]
    assert uses == [call.args[0]]


@every_construct
def test_what_it_hands_on_is_declared_with_its_caveat(construct: type[Construct]) -> None:
    source = _source(construct)
    declared = {}
    for node, following in zip(source.body, [*source.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            declared[ast.unparse(node.target)] = following
    given = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and not node.attr.startswith("_")
    }
    assert given == {name for name in declared if not name.startswith("_")}
    for name, following in declared.items():
        assert _is_text(following), f"{name} says nothing of itself"


@every_construct
def test_it_says_what_it_guarantees(construct: type[Construct]) -> None:
    assert ast.get_docstring(_source(construct))


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
