"""Every bounded key of the environment file, at its boundaries; what the bounds are stands in a table of its own."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import annotated_types
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from stacks.settings import Settings
from stacks.settings.opik import OpikSettings

_FILE = Path(__file__).with_name("settings_bounds.yaml")
TABLE: dict[str, tuple[float | str, float]] = YAML(typ="safe").load(_FILE.read_text())
"""Key to its lowest and highest value; `above 0` where the lowest is no value itself."""
NUMBERS = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt)


def bounded(kind: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and type of everything below `kind` that is bounded; `*` stands for items and entries."""
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        said = [part for note in notes for part in (note.metadata if isinstance(note, FieldInfo) else [note])]
        if any(isinstance(part, NUMBERS) for part in said):
            yield path, kind
        yield from bounded(base, path)
    elif get_origin(kind) in (Union, types.UnionType):
        for option in get_args(kind):
            yield from bounded(option, path)
    elif get_origin(kind) in (dict, tuple, list, frozenset):
        for item in get_args(kind):
            yield from bounded(item, f"{path}.*")
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, hint in get_type_hints(kind, include_extras=True).items():
            if name in kind.model_fields:
                yield from bounded(hint, f"{path}.{name}".lstrip("."))


FOUND = dict(bounded(Settings, ""))


def test_every_bounded_key_stands_in_the_table() -> None:
    """A new one belongs into tests/settings/settings_bounds.yaml, written by hand: the code is held to the table."""
    assert sorted(FOUND) == sorted(TABLE)


def accepted(path: str, value: float) -> bool:
    try:
        TypeAdapter(FOUND[path]).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("path", TABLE)
def test_a_key_takes_its_boundaries_and_nothing_beyond_them(path: str) -> None:
    lowest, highest = TABLE[path]
    if isinstance(lowest, str):
        border = float(lowest.removeprefix("above "))
        assert accepted(path, border + 0.001)
        assert not accepted(path, border)
    else:
        assert accepted(path, lowest)
        assert not accepted(path, lowest - 1)
    assert accepted(path, highest)
    assert not accepted(path, highest + 1)


@pytest.mark.parametrize("key", ["replicas", "max_replicas", "login_replicas"])
def test_opik_without_a_single_pod_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        OpikSettings.model_validate({key: 0})
