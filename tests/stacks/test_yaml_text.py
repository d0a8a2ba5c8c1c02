"""A YAML text is parsed once for all processes; what was kept is never another text's, nor less than it says."""

from pathlib import Path

import pytest
from ruamel.yaml.error import YAMLError

from stacks.common.yaml_text import parsed
from stacks.platform.common.catalogue import HELM

TEXT = "b: [1, 2.5, true, null]\na: on\n"
DATA = {"b": [1, 2.5, True, None], "a": "on"}


def test_a_text_is_kept_and_read_alike(tmp_path: Path) -> None:
    assert parsed(TEXT, kept_in=tmp_path) == DATA
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text().replace("2.5", "7.5"))
    again = parsed(TEXT, kept_in=tmp_path)
    assert again == DATA | {"b": [1, 7.5, True, None]}, "it was parsed again"
    assert list(again) == ["b", "a"]


def test_a_changed_text_is_another(tmp_path: Path) -> None:
    parsed(TEXT, kept_in=tmp_path)
    assert parsed(TEXT.replace("2.5", "3"), kept_in=tmp_path) == DATA | {"b": [1, 3, True, None]}


@pytest.mark.parametrize("damage", ["", '{"b": [1'])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    parsed(TEXT, kept_in=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(damage)
    assert parsed(TEXT, kept_in=tmp_path) == DATA
    assert kept.read_text() == '{"b": [1, 2.5, true, null], "a": "on"}'


@pytest.mark.parametrize("text", ["1: one\n", "when: 2026-11-30\n", "not: .nan\n"])
def test_what_json_cannot_say_is_not_kept(tmp_path: Path, text: str) -> None:
    parsed(text, kept_in=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_is_no_yaml_is_refused_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(YAMLError):
            parsed("a: [", kept_in=tmp_path)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert parsed(TEXT, kept_in=tmp_path / "file" / "folder") == DATA


def test_every_file_of_helm_can_be_kept(tmp_path: Path) -> None:
    files = [HELM / "images.yaml", HELM / "charts.yaml", *(HELM / "monitors" / "rules").glob("*.yaml")]
    for file in files:
        parsed(file.read_text("utf-8"), kept_in=tmp_path)
    assert len(list(tmp_path.iterdir())) == len(files)
