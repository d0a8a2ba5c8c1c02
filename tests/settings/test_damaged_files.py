"""An environment file that is damaged on disk is answered in one sentence; marks of other editors are no damage."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.settings import SettingsError, load_settings

SOUND = (Path(__file__).parents[1] / "environments" / "valid.minimal.yaml").read_text("utf-8")
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda file: file.write_text(""), "is empty"),
    "cut": (lambda file: file.write_text('name: "dev'), "is not valid YAML"),
    "not UTF-8": (lambda file: file.write_bytes(b"name: \xff\n"), "is not UTF-8 text; save it as UTF-8"),
    "NUL": (lambda file: file.write_bytes(b"name: dev\x00\n"), "is not valid YAML: unacceptable character"),
    "folder": (lambda file: file.mkdir(), "cannot be read: Is a directory"),
    "link to itself": (lambda file: file.symlink_to(file), "cannot be read: Too many levels of symbolic links"),
    "link to nothing": (lambda file: file.symlink_to("nowhere.yaml"), "is a link to a file that does not exist"),
    "FIFO": (os.mkfifo, "is no ordinary file; write the environment into one"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    damage, sentence = DAMAGES[name]
    damage(tmp_path / "dev.yaml")
    with pytest.raises(SettingsError) as refusal:
        load_settings("dev", tmp_path)
    (error,) = refusal.value.errors
    assert sentence in error.message


@pytest.mark.parametrize("written", [b"\xef\xbb\xbf" + SOUND.encode(), SOUND.replace("\n", "\r\n").encode()])
def test_marks_of_other_editors_are_read_over(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_bytes(written)
    assert load_settings("dev", tmp_path).name == "dev"
