"""Python's side: generated code evaluates no annotations, and leaves the check of arguments to jsii's kernel.

Generated code, of bindings and of cdktf itself, evaluates annotations for every parameter of every method when a module
is imported, and again for each object, to check each argument with typeguard. Then it sends the object to jsii's
kernel, which checks the same types and raises at the same line. `python -O` would leave out the check alone, at the
price of compiling every module again and of our own assertions.

Such a module gets a `typing` whose types mean nothing and a `typeguard` that refuses nothing. Every other module keeps
the real ones: `exec` takes built-in functions, of which `__import__` is one, from the variables of the module it runs.
"""

import builtins
import functools
import importlib.metadata
import typing
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any

_TYPES = ("Dict", "List", "Mapping", "Optional", "Sequence", "Union")
"""Names in `typing` that generated code takes types of."""


class _NoType:
    """Stands for a type: of anything, it is itself."""

    def __getitem__(self, parameters: object) -> "_NoType":
        return self


class _NoHints(dict[str, None]):
    """Type hints of any function: None for each argument."""

    def __missing__(self, argument: str) -> None:
        return None


def _like(module: ModuleType, **others: object) -> ModuleType:
    copy = ModuleType(module.__name__, module.__doc__)
    vars(copy).update(vars(module) | others)
    return copy


def _replacements() -> Mapping[str, ModuleType]:
    """Return what generated code gets where it imports a module as a whole."""
    no_type, no_hints = _NoType(), _NoHints()
    hints = {"get_type_hints": lambda _function: no_hints, "cast": lambda _type, value: value}
    typeguard = ModuleType("typeguard", "Checks nothing.")
    vars(typeguard).update(check_type=lambda *_, **__: None, CollectionCheckStrategy=_Strategy, config=_Strategy)
    return {"typing": _like(typing, **dict.fromkeys(_TYPES, no_type), **hints), "typeguard": typeguard}


class _Strategy:
    """What generated code asks typeguard for; read by nobody."""

    ALL_ITEMS = None


@functools.cache
def _builtins() -> dict[str, Any]:
    """Return the built-in functions of generated code: all of Python's, and an `import` that knows replacements."""
    replacements = _replacements()
    importlib.metadata.version = functools.cache(importlib.metadata.version)  # Each module looks up typeguard's.

    def import_(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = None,
        level: int = 0,
    ) -> ModuleType:
        if fromlist is None and name in replacements:
            return replacements[name]
        return builtins.__import__(name, globals_, locals_, fromlist or (), level)

    return vars(builtins) | {"__import__": import_}


class GeneratedLoader(SourceFileLoader):
    """Loads a module of generated code without the meaning of its annotations."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, as published, with an `import` of its own."""
        vars(module)["__builtins__"] = _builtins()
        super().exec_module(module)
