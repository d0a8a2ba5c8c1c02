"""The list of models in an environment file changed, and every other character kept."""

import difflib

import pytest

from scripts.cli.models.file import assignments, names, position, with_model, with_model_values, without_model
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT

NEW = {"name": "qwen3-4b", "engine": "ollama", "id": "qwen3:4b", "pool": "t4", "weights_gib": "2.5"}
FILES = ["dev", "prod"]


def _text(name: str) -> str:
    return (ROOT / "environments" / f"{name}.yaml").read_text("utf-8")


def _changed(before: str, after: str) -> list[str]:
    return [row for row in difflib.ndiff(before.splitlines(), after.splitlines()) if row[:2] in ("+ ", "- ")]


@pytest.mark.parametrize("name", FILES)
def test_added_model_is_the_last_and_only_adds_its_lines(name: str) -> None:
    text = _text(name)
    after = with_model(text, NEW)
    assert names(after) == [*names(text), "qwen3-4b"]
    assert _changed(text, after) == [
        "+   - name: qwen3-4b",
        "+     engine: ollama",
        "+     id: qwen3:4b",
        "+     pool: t4",
        "+     weights_gib: 2.5",
    ]


@pytest.mark.parametrize("name", FILES)
def test_removed_model_takes_its_lines_and_no_other(name: str) -> None:
    text = _text(name)
    for model in names(text):
        after = without_model(text, model)
        assert names(after) == [other for other in names(text) if other != model]
        assert all(row.startswith("- ") for row in _changed(text, after))


@pytest.mark.parametrize("name", FILES)
def test_adding_and_removing_gives_the_file_back(name: str) -> None:
    assert without_model(with_model(_text(name), NEW), "qwen3-4b") == _text(name)


def test_changed_values_are_lines_of_that_model_alone() -> None:
    text = _text("dev")
    after = with_model_values(text, "qwen2-5-7b", {"context_tokens": "8192", "max_replicas": "2"})
    assert _changed(text, after) == [
        "-     context_tokens: 16384",
        "+     context_tokens: 8192",
        "+     max_replicas: 2",
    ]


def test_comment_behind_a_value_stays() -> None:
    after = with_model_values(_text("prod"), "qwen3-32b", {"quantization": "gptq"})
    assert "quantization: gptq # Ampere runs FP8 weights, Turing does not\n" in after


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", "a: 1\n\nmodels:\n  - name: x\n    pool: t4\n"),
        ("models: [] # none\nb: 2\n", "models:\n  - name: x\n    pool: t4\nb: 2\n"),
        ("models:\n- name: a\n  pool: p # old\n# tail\nb: 2\n",
         "models:\n- name: a\n  pool: p # old\n- name: x\n  pool: t4\n# tail\nb: 2\n"),
    ],
)  # fmt: skip
def test_every_way_to_write_the_list_is_kept(text: str, expected: str) -> None:
    assert with_model(text, {"name": "x", "pool": "t4"}) == expected


def test_last_model_leaves_an_empty_list() -> None:
    assert without_model("models: # all\n  - name: a\n    pool: p\nb: 2\n", "a") == "models: []\nb: 2\n"


def test_models_in_one_line_are_left_to_people() -> None:
    with pytest.raises(OperatorError, match="one line each"):
        without_model("models:\n  - {name: a}\n", "a")


def test_second_model_of_a_name_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"phi3\.5 is listed already"):
        with_model(_text("dev"), NEW | {"name": "phi3.5"})


def test_unknown_model_tells_the_known_ones() -> None:
    with pytest.raises(OperatorError, match="no such model: gpt") as error:
        position(_text("dev"), "gpt")
    assert "qwen2-5-7b" in error.value.fix


@pytest.mark.parametrize("word", ["context_tokens", "context=1", "name=other", "engine=ollama"])
def test_only_keys_of_a_model_can_be_set_and_not_those_that_make_it_another(word: str) -> None:
    with pytest.raises(OperatorError, match="is no KEY=VALUE") as error:
        assignments([word])
    assert error.value.code == ExitCode.USAGE


@pytest.mark.parametrize("value", ["a # b", "{a: b}", "a: b", "", "x\ny", "'"])
def test_value_that_would_be_read_as_something_else_is_refused(value: str) -> None:
    with pytest.raises(OperatorError, match="no plain value"):
        assignments([f"id={value}"])


@pytest.mark.parametrize("before", ["regular", "[regular, spot]"])
@pytest.mark.parametrize(("typed", "written"), [("pool=spot,regular", "[spot, regular]"), ("pool=spot", "spot")])
def test_pools_in_order_are_a_list_in_one_line(before: str, typed: str, written: str) -> None:
    text = f"models:\n  - name: one\n    pool: {before} # cheap first\n    id: one:1b\n"
    after = with_model_values(text, "one", assignments([typed]))
    assert after == text.replace(before, written)


@pytest.mark.parametrize("value", ["spot,", "spot,,regular", "spot, regular", "[spot]"])
def test_a_list_of_pools_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(OperatorError, match="no plain value"):
        assignments([f"pool={value}"])
