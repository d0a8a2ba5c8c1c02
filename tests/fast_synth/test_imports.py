"""The import machinery: our modules join the library `constructs`, and bindings load only what is used."""

import importlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import constructs
import pytest

from stacks import fast_bindings
from stacks.bare_bytecode import CACHE_TAG

ROOT = Path(__file__).resolve().parents[2]
APP = """
import sys
import stacks
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider
app = App(outdir=sys.argv[1])
stack = TerraformStack(app, "one")
RandomProvider(stack, "random")
Pet(stack, "pet")
app.synth()
"""
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
EAGER_INDEX = """"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.vault = exports.disk = void 0;
exports.disk = require("./disk");
exports.vault = require("./vault");
"""
LAZY_INDEX = """"use strict";
Object.defineProperty(exports, 'disk', { get: function () { return require('./disk'); } });
Object.defineProperty(exports, 'vault', { get: function () { return require('./vault'); } });
"""


@pytest.fixture
def binding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the root module file of an importable Python package that is named like a provider binding."""
    package = tmp_path / f"{fast_bindings.BINDING_PREFIX}fake"
    package.mkdir()
    for name in ("disk", "vault"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package / "__init__.py"
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


@pytest.fixture
def npm_binding(tmp_path: Path) -> Path:
    """Return the folder of a Node package that is laid out like a provider binding."""
    package = tmp_path / "node modules" / "binding"
    for name in ("disk", "vault"):
        (package / "lib" / name).mkdir(parents=True)
        (package / "lib" / name / "index.js").write_text(f"console.log('loaded {name}'); exports.NAME = '{name}';")
    (package / "package.json").write_text(json.dumps({"name": "@cdktf/provider-fake", "main": "lib/index.js"}))
    (package / "lib" / "index.js").write_text(EAGER_INDEX)
    (package / "lib" / "lazy-index.js").write_text(LAZY_INDEX)
    return package


def loaded_by_node(package: Path) -> list[str]:
    """Return what loads, in order, when the package is required under the hook and its `vault` is used."""
    return output_of_node(
        f"const b = require({json.dumps(str(package))}); console.log('required'); console.log(b.vault.NAME)"
    )


def output_of_node(script: str) -> list[str]:
    """Return the lines that a script prints under the hook."""
    command = [os.environ["JSII_NODE"], "--require", str(fast_bindings.NODE_HOOK), "-e", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_our_folder_joins_the_library_constructs() -> None:
    assert str(ROOT / "constructs") in constructs.__path__
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert constructs.Construct.__module__ == "constructs"


def test_lean_imports_are_on_for_every_installed_binding() -> None:
    for name in ("azurerm", "azuread", "kubernetes", "helm", "random"):
        root = importlib.import_module(f"{fast_bindings.BINDING_PREFIX}{name}")
        assert "__getattr__" in vars(root), f"{name} was imported eagerly"
    azurerm = f"{fast_bindings.BINDING_PREFIX}azurerm"
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


GENERATED = """
import jsii
import typeguard
import typing
from importlib.metadata import version as _metadata_package_version
TYPEGUARD_MAJOR_VERSION = int(_metadata_package_version('typeguard').split('.')[0])
def create(name: absent.Type) -> None:
    \"\"\"Documented.\"\"\"
    if __debug__:
        raise TypeError(name)
def same(value):
    return typing.cast(absent.Type, value)
"""


def test_a_generated_module_is_compiled_without_annotations_checks_and_docstrings(binding: Path) -> None:
    binding.write_text("")
    (binding.parent / "disk.py").write_text(GENERATED)
    disk = importlib.import_module(f"{binding.parent.name}.disk")
    assert disk.create("data") is None
    assert disk.create.__doc__ is None
    assert disk.create.__annotations__["name"] == "absent.Type"
    assert disk.same(3) == 3
    assert not vars(disk).keys() & {"typeguard", "_metadata_package_version", "TYPEGUARD_MAJOR_VERSION"}


def test_a_compiled_module_is_used_until_its_source_changes(binding: Path) -> None:
    binding.write_text("")
    source = binding.parent / "disk.py"
    name = f"{binding.parent.name}.disk"
    source.write_text("import jsii\nimport jsii\nNAME = 'old'\n")
    stats = source.stat()
    assert importlib.import_module(name).NAME == "old"
    compiled = Path(cache_from_source(source, optimization=CACHE_TAG))
    assert compiled.exists() != sys.dont_write_bytecode
    source.write_text("import jsii\nimport jsii\nNAME = 'new'\n")
    os.utime(source, (stats.st_atime, stats.st_mtime))
    del sys.modules[name]
    assert ("new" if sys.dont_write_bytecode else "old") == importlib.import_module(name).NAME
    os.utime(source, (stats.st_atime, stats.st_mtime + 2))
    del sys.modules[name]
    assert importlib.import_module(name).NAME == "new"


def test_a_module_that_jsii_did_not_generate_keeps_its_checks(binding: Path) -> None:
    binding.write_text("")
    (binding.parent / "disk.py").write_text(GENERATED.replace("import jsii", "absent = __import__('types')"))
    with pytest.raises(AttributeError, match="Type"):
        importlib.import_module(f"{binding.parent.name}.disk")


def test_node_loads_the_zip_library_of_cdktf_when_it_is_used(tmp_path: Path) -> None:
    library = tmp_path / "node_modules" / "archiver"
    user = tmp_path / "node_modules" / "cdktf" / "lib"
    for folder in (library, user):
        folder.mkdir(parents=True)
    (library / "index.js").write_text(
        "console.log('loaded'); module.exports = (name) => name; module.exports.KIND = 1;"
    )
    (user / "index.js").write_text("module.exports = require('archiver');")
    script = f"const zip = require({json.dumps(str(user))}); console.log('required'); console.log(zip('zip'), zip.KIND)"
    assert output_of_node(script) == ["required", "loaded", "zip 1"]


def test_node_keeps_its_traces_but_where_the_whole_stack_is_asked_for() -> None:
    program = "const trace = () => { const found = {}; Error.captureStackTrace(found); return found.stack.length > 0 };"
    script = f"{program} console.log(trace()); Error.stackTraceLimit = Number.MAX_SAFE_INTEGER; console.log(trace())"
    assert output_of_node(script) == ["true", "false"]


def test_an_asset_that_is_an_archive_finds_the_zip_library(tmp_path: Path) -> None:
    program = """
import stacks, pathlib, cdktf
pathlib.Path("source").mkdir()
pathlib.Path("source/file.txt").write_text("text")
app = cdktf.App(outdir="out")
stack = cdktf.TerraformStack(app, "stack")
cdktf.TerraformAsset(stack, "archive", path=str(pathlib.Path("source").resolve()), type=cdktf.AssetType.ARCHIVE)
app.synth()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True, capture_output=True)
    (archive,) = tmp_path.glob("out/stacks/stack/assets/**/archive.zip")
    with zipfile.ZipFile(archive) as found:
        assert found.read("file.txt") == b"text"


def test_node_loads_a_resource_of_a_binding_when_it_is_used(npm_binding: Path) -> None:
    assert loaded_by_node(npm_binding) == ["required", "loaded vault", "vault"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("lib/lazy-index.js", LAZY_INDEX.replace("'./vault'", "'./disk'")),
        ("lib/lazy-index.js", LAZY_INDEX.replace("Object", "// Object", 1)),
        ("lib/index.js", EAGER_INDEX + "exports.VERSION = 3;\n"),
        ("package.json", json.dumps({"name": "@other/package", "main": "lib/index.js"})),
    ],
    ids=["other-file", "missing-export", "more-than-resources", "not-a-binding"],
)
def test_a_node_package_that_looks_different_loads_as_shipped(npm_binding: Path, file: str, text: str) -> None:
    (npm_binding / file).write_text(text)
    assert loaded_by_node(npm_binding) == ["loaded disk", "loaded vault", "required", "vault"]


def test_a_node_package_without_a_lazy_index_loads_as_shipped(npm_binding: Path) -> None:
    (npm_binding / "lib" / "lazy-index.js").unlink()
    assert loaded_by_node(npm_binding) == ["loaded disk", "loaded vault", "required", "vault"]


def test_the_node_process_of_jsii_takes_the_hook_and_keeps_the_options_of_the_caller(tmp_path: Path) -> None:
    report = tmp_path / "loaded modules.json"
    recorder = tmp_path / "recorder.cjs"
    recorder.write_text(
        "process.on('exit', () => { const files = Object.keys(require('node:module')._cache);"
        f" if (files.some(f => f.includes('provider-random'))) "
        f"require('node:fs').writeFileSync({json.dumps(str(report))}, JSON.stringify(files)); }});"
    )
    environment = {key: value for key, value in os.environ.items() if key != fast_bindings.MODE_VARIABLE}
    environment |= {"NODE_OPTIONS": f'--require="{recorder}"', "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", APP, str(tmp_path / "out")], env=environment, check=True, cwd=tmp_path)
    loaded = {Path(file).parts[-2:] for file in json.loads(report.read_text()) if "provider-random" in file}
    assert ("lib", "lazy-index.js") in loaded
    assert ("pet", "index.js") in loaded
    assert not loaded & {("lib", "index.js"), ("uuid", "index.js")}


def test_node_options_are_extended_once_and_given_back_as_they_were() -> None:
    caller = '--max-old-space-size=900 --require="/a b/c.cjs"'
    lazy = fast_bindings.node_options(caller, lazy=True)
    assert lazy.startswith(caller)
    assert str(fast_bindings.NODE_HOOK) in lazy
    assert fast_bindings.node_options(lazy, lazy=True) == lazy
    assert fast_bindings.node_options(lazy, lazy=False) == caller
    assert fast_bindings.node_options("", lazy=False) == ""


def test_node_understands_the_options_of_a_checkout_with_unusual_characters_in_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / 'a "second" checkout' / "back\\slash" / "hook.cjs"
    hook.parent.mkdir(parents=True)
    hook.write_text("console.log('hook loaded')")
    monkeypatch.setattr(fast_bindings, "NODE_HOOK", hook)
    environment = os.environ | {"NODE_OPTIONS": fast_bindings.node_options("--no-warnings", lazy=True)}
    node = [os.environ["JSII_NODE"], "-e", ""]
    assert subprocess.run(node, env=environment, capture_output=True, check=True).stdout == b"hook loaded\n"


def test_an_unknown_mode_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fast_bindings.MODE_VARIABLE, "fast")
    with pytest.raises(ValueError, match="'fast' is not a way to load bindings; use one of as-shipped, lean, lazy"):
        fast_bindings.install()


def test_importing_cdktf_before_stacks_is_reported() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", "import constructs, stacks"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 1
    assert "was imported before the package `stacks`" in run.stderr


def test_our_own_node_is_used_unless_the_caller_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSII_NODE")
    fast_bindings.install()
    assert os.environ["JSII_NODE"] == str(fast_bindings.bundled_node())
    monkeypatch.setenv("JSII_NODE", "/opt/node/bin/node")
    fast_bindings.install()
    assert os.environ["JSII_NODE"] == "/opt/node/bin/node"
