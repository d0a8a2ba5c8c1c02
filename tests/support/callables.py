"""Reads sources: which functions are used as values, so that whoever calls them decides on their parameters."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """One file: its text, and once it is asked for its tree, with what its names stand for."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def above(self) -> Mapping[ast.AST, ast.AST]:
        """The node that each node is a part of."""
        return {part: node for node in ast.walk(self.tree) for part in ast.iter_child_nodes(node)}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Local name to the dotted name that it was imported as, or that it has in this module."""
        names: dict[str, str] = {}
        for node in (self.tree, *self.above):
            if isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name: f"{self._base(node)}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.asname or alias.name: alias.name for alias in node.names}
        defined = [node.name for node in self.tree.body if isinstance(node, Function | ast.ClassDef)]
        defined += [
            target.id
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        return names | {name: f"{self.dotted}.{name}" for name in defined}

    def _base(self, node: ast.ImportFrom) -> str:
        package = self.path.split("/")[:-1]
        above = package[: len(package) - node.level + 1] if node.level else []
        return ".".join((*above, *filter(None, [node.module])))

    def meaning(self, node: ast.AST) -> str:
        """Return the dotted name of what an expression stands for; empty for what no import or definition says."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute) and (base := self.meaning(node.value)):
            return f"{base}.{node.attr}"
        return ""

    def is_value(self, node: ast.AST) -> bool:
        """Return whether an expression is read for itself: neither called nor only the way to an attribute."""
        above = self.above[node]
        return (
            isinstance(node, ast.Name | ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and not (isinstance(above, ast.Call) and above.func is node)
            and not isinstance(above, ast.Attribute)
        )

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def parameters(function: Function) -> list[ast.arg]:
    """Return all named parameters."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


@dataclass
class Sources:
    """All modules together."""

    modules: list[Module]

    @classmethod
    def read(cls, root: Path, names: Iterable[str]) -> "Sources":
        return cls([Module(name, (root / name).read_text("utf-8")) for name in names])

    def naming(self, word: str) -> Iterator[Module]:
        """Yield the modules whose text has a word: the others need not be parsed."""
        return (module for module in self.modules if word in module.text)

    def is_callback(self, module: Module, function: Function) -> bool:
        """Return whether others decide on the parameters of a function.

        So they do where it stands somewhere without being called, where a decorator of the project takes it, and where
        it is the method of a protocol or overrides one.
        """
        if any(self._is_own(module.meaning(_called(decorator))) for decorator in function.decorator_list):
            return True
        around = module.above[function]
        if isinstance(around, ast.ClassDef):
            return self._is_declared(module, function, around)
        if isinstance(around, ast.Module):
            name = f"{module.dotted}.{function.name}"
            return any(
                other.meaning(node) == name and other.is_value(node)
                for other in self.naming(function.name)
                for node in other.above
                if isinstance(node, ast.Name | ast.Attribute)
            )
        return any(_names(node, function.name) and module.is_value(node) for node in module.above)

    def _is_own(self, meaning: str) -> bool:
        return any(meaning.startswith(f"{module.dotted.split('.')[0]}.") for module in self.modules)

    def _is_declared(self, module: Module, method: Function, around: ast.ClassDef) -> bool:
        if _shape(method) in self._declared:
            return True
        if any(
            isinstance(node, ast.Attribute) and node.attr == method.name and module.is_value(node)
            for node in ast.walk(around)
        ):
            return True
        return method.name != "__init__" and any(
            inherited.name == method.name
            for base in around.bases
            for inherited in self._methods.get(module.meaning(base), ())
        )

    @cached_property
    def _methods(self) -> Mapping[str, tuple[Function, ...]]:
        """The methods of each class, by its dotted name."""
        return {
            f"{module.dotted}.{found.name}": tuple(node for node in found.body if isinstance(node, Function))
            for module in self.naming("class ")
            for found in module.classes()
        }

    @cached_property
    def _declared(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """Name and parameters of the methods that protocols declare: what has the same may stand for one."""
        return frozenset(
            _shape(method)
            for module in self.naming("Protocol")
            for found in module.classes()
            if any(ast.unparse(base).split("[")[0] == "Protocol" for base in found.bases)
            for method in found.body
            if isinstance(method, Function)
        )


def _shape(method: Function) -> tuple[str, tuple[str, ...]]:
    return method.name, tuple(parameter.arg for parameter in parameters(method))


def _names(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator
