"""Python's side: a binding's root is imported without the resources that nobody asked for.

As published, the root ``__init__`` of a binding imports every submodule: 1,500 modules for azurerm. jsii itself stopped
generating that in 1.133 (aws/jsii#5110); the published bindings are older.
"""

import importlib
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from .generated_code import GeneratedLoader

BINDING_PREFIX = "cdktf_cdktf_provider_"
_EAGER_TAIL = re.compile(rb"(?:^from \. import \w+\r?\n?)+\Z", re.MULTILINE)


class _RootLoader(GeneratedLoader):
    """Loads the root of a binding without the imports at its end, and resolves those names when they are asked for.

    A root that ends in anything else is loaded as published.
    """

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code before the imports; it is compiled each time, so that no ``.pyc`` of the whole is used."""
        source = self.get_data(self.path)
        eager = _EAGER_TAIL.search(source)
        if eager is None:
            return super().get_code(fullname)
        code: CodeType = self.source_to_code(source[: eager.start()], self.path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the root and give it a ``__getattr__`` (PEP 562) for the names that it would have imported."""
        super().exec_module(module)
        eager = _EAGER_TAIL.search(self.get_data(self.path))
        if eager is None:
            return
        name = module.__name__
        submodules = frozenset(eager.group().decode().split()[3::4])

        def import_on_demand(attribute: str) -> Any:
            if attribute not in submodules:
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
            return importlib.import_module(f"{name}.{attribute}")

        # A generated root replaces itself in sys.modules while it runs (`publication.publish()`).
        vars(sys.modules[name])["__getattr__"] = import_on_demand


LIBRARIES = frozenset({"cdktf", "cdktf._jsii", "cdktf.testing_matchers", "constructs", "constructs._jsii"})
"""Other modules that jsii generated; `constructs` has modules of our own, too."""


class LeanFinder:
    """Finds generated code; every other import takes its ordinary way."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the ordinary spec of a generated module with a lean loader, None for any other module."""
        binding = name.startswith(BINDING_PREFIX)
        if not binding and name not in LIBRARIES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            loader = _RootLoader if binding and "." not in name else GeneratedLoader
            spec.loader = loader(name, spec.loader.path)
        return spec
