"""Whatever stands in an environment file, the answer is settings or readable lines, never a traceback."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacks.common.one_way_record import check_change
from stacks.settings import SettingsError, parse_settings
from stacks.settings.file import yaml_source

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SOUND = [
    path.read_text()
    for path in [*(ROOT / "environments").glob("*.yaml"), *(ROOT / "tests" / "environments").glob("valid.*.yaml")]
]
PARSED: list[dict[str, Any]] = [yaml_source.read(text, "file").data for text in SOUND]
LONGEST_LINE = 1000
bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["", "dev", "1.36", "10.0.0.0/8", "0.0.0.0/0", "B_Standard_B1ms", "Standard_NC6s_v3", "vllm"]),
    st.integers(min_value=-5, max_value=300),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def answer(text: str) -> None:
    """Check that `text` is accepted, or refused in lines that can be read."""
    try:
        parse_settings(text, "environments/any.yaml")
    except SettingsError as refusal:
        refused = refusal
    else:
        return
    lines = str(refused).split("\n")
    assert len(lines) == len(refused.errors) > 0
    for line in lines:
        assert line.startswith("environments/any.yaml")
        assert line.isprintable()
        assert len(line) < LONGEST_LINE


def leaves(data: object, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the keys of everything in `data`, sections included."""
    if isinstance(data, dict):
        return [key for name, value in data.items() for key in [(*above, name), *leaves(value, (*above, name))]]
    if isinstance(data, list):
        return [key for index, value in enumerate(data) for key in [(*above, index), *leaves(value, (*above, index))]]
    return []


@bounded
@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    answer(text)


@bounded
@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,?\n\t 01.~<", max_size=60))
def test_any_arrangement_of_the_signs_of_yaml_is_answered(text: str) -> None:
    answer(text)


@bounded
@given(st.sampled_from(SOUND), st.data())
def test_a_sound_file_with_a_slip_of_the_finger_is_answered(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(min_value=0, max_value=len(text)))
    removed = data.draw(st.integers(min_value=0, max_value=20))
    inserted = data.draw(st.text(alphabet=st.characters(codec="utf-8"), max_size=5))
    answer(text[:start] + inserted + text[start + removed :])


@bounded
@given(st.sampled_from(PARSED), values, st.data())
def test_a_sound_file_with_any_other_value_in_one_place_is_answered(
    parsed: dict[str, Any], value: object, data: st.DataObject
) -> None:
    changed = deepcopy(parsed)
    *above, last = data.draw(st.sampled_from(leaves(parsed)))
    parent: Any = changed
    for part in above:
        parent = parent[part]
    parent[last] = value
    answer(json.dumps(changed))


@bounded
@given(st.sampled_from(PARSED), st.data())
def test_a_sound_file_without_one_of_its_keys_is_answered(parsed: dict[str, Any], data: st.DataObject) -> None:
    changed = deepcopy(parsed)
    *above, last = data.draw(st.sampled_from(leaves(parsed)))
    parent: Any = changed
    for part in above:
        parent = parent[part]
    del parent[last]
    answer(json.dumps(changed))


@pytest.mark.parametrize("text", SOUND)
def test_settings_stay_the_same_when_they_are_written_and_read_again(text: str) -> None:
    before = parse_settings(text, "first")
    assert parse_settings(before.model_dump_json(exclude_unset=True), "second") == before


@bounded
@given(st.sampled_from(SOUND), st.sampled_from(SOUND))
def test_any_change_between_sound_files_is_answered_and_no_change_is_none(one: str, other: str) -> None:
    before, after = parse_settings(one, "before"), parse_settings(other, "after")
    assert check_change(before, before) == []
    for line in check_change(before, after):
        assert line.isprintable()
