"""Generated code evaluates no annotations and checks no arguments; every other module means what it says."""

import importlib
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import cdktf
import pytest

import constructs.key_vault
from stacks.fast_synth.finder import BINDING_PREFIX

RESOURCE = """
import typing
import typeguard
from importlib.metadata import version as _metadata_package_version
TYPEGUARD_MAJOR_VERSION = int(_metadata_package_version('typeguard').split('.')[0])

def check_type(argname: str, value: object, expected_type: typing.Any) -> typing.Any:
    if TYPEGUARD_MAJOR_VERSION == 3:
        typeguard.config.collection_check_strategy = typeguard.CollectionCheckStrategy.ALL_ITEMS
        typeguard.check_type(value=value, expected_type=expected_type)
    else:
        strategy = typeguard.CollectionCheckStrategy.ALL_ITEMS
        typeguard.check_type(value=value, expected_type=expected_type, collection_check_strategy=strategy)

def name(text: typing.Optional[typing.Union["Nowhere", typing.Dict[str, int]]] = None) -> str:
    type_hints = typing.get_type_hints(_typecheckingstub__name)
    check_type(argname="argument text", value=text, expected_type=type_hints["text"])
    return typing.cast(str, text)

def _typecheckingstub__name(text: typing.Optional[str] = None) -> None: ...
"""
OTHERWISE = RESOURCE.replace("import typing\n", "from typing import Any, Optional\nimport typing as typing\n")


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Yield how the module of a resource in a binding is imported, given its source."""
    package = tmp_path / f"{BINDING_PREFIX}fake"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    def imported(source: str) -> ModuleType:
        (package / "disk.py").write_text(source)
        return importlib.import_module(f"{package.name}.disk")

    yield imported
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def test_a_binding_evaluates_no_annotation_and_leaves_checks_to_the_kernel(
    generated: Callable[[str], ModuleType],
) -> None:
    disk = generated(RESOURCE)
    assert disk.name(5) == 5
    assert disk.name.__annotations__["text"] is disk._typecheckingstub__name.__annotations__["text"]
    assert disk.typing.get_type_hints(disk.name)["anything"] is None
    assert disk.typing.TypedDict is typing.TypedDict


def test_every_other_module_has_the_real_annotations() -> None:
    def ours(name: typing.Optional[str]) -> None: ...  # noqa: UP045

    assert typing.get_type_hints(ours) == {"name": str | None, "return": type(None)}
    assert typing.get_origin(typing.Dict[str, int]) is dict  # noqa: UP006
    assert typing.get_type_hints(constructs.key_vault.KeyVault.__init__)["return"] is type(None)


def test_cdktf_and_constructs_are_generated_code_too() -> None:
    for name in ("cdktf", "constructs"):
        assert sys.modules[name]._private.typing is not typing, name
    assert sys.modules["cdktf"]._private.typeguard.check_type(value=1, expected_type=str) is None
    assert cdktf.App.__init__.__annotations__["context"] is not None


def test_names_that_are_imported_one_by_one_are_the_real_ones(generated: Callable[[str], ModuleType]) -> None:
    disk = generated(OTHERWISE.replace("typing.Optional[str]", "Optional[str]"))
    assert disk.Optional is typing.Optional
    assert disk._typecheckingstub__name.__annotations__["text"] == typing.Optional[str]  # noqa: UP045
