"""The import machinery: our modules join the library `constructs`, and bindings load only what is used."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import constructs
import pytest

from stacks.fast_synth.finder import BINDING_PREFIX

ROOT = Path(__file__).resolve().parents[2]
EAGER_ROOT = """
from pkgutil import extend_path
__path__ = extend_path(__path__, __name__)
import publication
__all__ = ["disk", "vault"]
publication.publish()

# Loading modules to ensure their types are registered with the jsii runtime library
from . import disk
from . import vault
"""


@pytest.fixture
def binding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the root module file of an importable Python package that is named like a provider binding."""
    package = tmp_path / f"{BINDING_PREFIX}fake"
    package.mkdir()
    for name in ("disk", "vault"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package / "__init__.py"
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def test_our_folder_joins_the_library_constructs() -> None:
    assert str(ROOT / "constructs") in constructs.__path__
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert constructs.Construct.__module__ == "constructs"


def test_lean_imports_are_on_for_every_installed_binding() -> None:
    for name in ("azurerm", "azuread", "kubernetes", "helm", "random"):
        root = importlib.import_module(f"{BINDING_PREFIX}{name}")
        assert "__getattr__" in vars(root), f"{name} was imported eagerly"
    azurerm = f"{BINDING_PREFIX}azurerm"
    loaded = [module for module in sys.modules if module.startswith(azurerm) and module.count(".") == 1]
    assert len(loaded) < len(sys.modules[azurerm].__all__) / 4


def test_a_resource_is_also_reached_through_the_root_of_its_binding(binding: Path) -> None:
    binding.write_text(EAGER_ROOT)
    root = importlib.import_module(binding.parent.name)
    assert f"{root.__name__}.vault" not in sys.modules
    assert root.vault.NAME == "vault"
    assert f"{root.__name__}.disk" not in sys.modules
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = root.absent


@pytest.mark.parametrize(
    "root",
    [
        EAGER_ROOT.replace("import vault\n", "import vault as vault\n"),
        EAGER_ROOT + "DEFAULT = vault.NAME\n",
        EAGER_ROOT.replace("from . import disk\nfrom . import vault\n", "from . import (disk, vault)\n"),
    ],
    ids=["other-form", "used-after", "one-statement"],
)
def test_a_binding_whose_root_looks_different_loads_as_shipped(binding: Path, root: str) -> None:
    binding.write_text(root)
    module = importlib.import_module(binding.parent.name)
    assert {f"{module.__name__}.disk", f"{module.__name__}.vault"} <= sys.modules.keys()
    assert (module.disk.NAME, module.vault.NAME) == ("disk", "vault")
