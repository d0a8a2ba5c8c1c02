"""Every stack is deployed exactly as its snapshot shows; `pytest --snapshot-update` accepts a change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.filters import props
from syrupy.location import PyTestLocation

from .support.stacks.synthesis import STACKS, VARIANTS, Synthesized


class StackSnapshot(JSONSnapshotExtension):
    """One file per variant and stack: `snapshots/<variant>/<stack>.tf.json`."""

    file_extension = "tf.json"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "snapshots" / _parameter(test_location, "variant"))

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:  # noqa: ARG003
        return _parameter(test_location, "stack")


def _parameter(test_location: PyTestLocation, name: str) -> str:
    test = test_location.item
    assert isinstance(test, pytest.Function)
    return str(test.callspec.params[name])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stack", STACKS)
def test_stack_is_unchanged(
    environment: Callable[[str], Synthesized], snapshot: SnapshotAssertion, variant: str, stack: str
) -> None:
    # The key `//` holds cdktf's version and construct paths, which change nothing that is deployed.
    assert environment(VARIANTS[variant]).stacks[stack] == snapshot(extension_class=StackSnapshot, exclude=props("//"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_stack_goes_without_a_snapshot(environment: Callable[[str], Synthesized], variant: str) -> None:
    assert set(environment(VARIANTS[variant]).stacks) == set(STACKS)
