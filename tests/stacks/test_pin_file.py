"""A list of pinned charts or images that cannot be used is answered in one sentence: file, key, fix."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.platform.common.pin_file import pin_of, read_pins
from stacks.settings import SettingsError

NEEDED = ("repository", "name", "version")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "helm/charts.yaml: is empty"),
        (b"- a\n", "helm/charts.yaml: must hold keys and values, not a list or one value"),
        (b"a:\n\tb: 1\n", "helm/charts.yaml:2: is not valid YAML: found character '\\t' that cannot start any token"),
        (b"a: \xff\n", "helm/charts.yaml: is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_list_of_pins_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "helm" / "charts.yaml"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SettingsError) as refusal:
        read_pins(path)
    assert str(refusal.value) == said


@pytest.mark.parametrize("name", ["charts.yaml", "images.yaml"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _file: None, "does not exist; `git restore` brings it back"),
        (lambda file: file.write_text('redis: {name: "red'), "is not valid YAML: found unexpected end of stream"),
        (lambda file: file.mkdir(), "is no file; `git restore` brings it back"),
        (os.mkfifo, "is no file; `git restore` brings it back"),
        (lambda file: file.symlink_to(file), "cannot be read: Too many levels of symbolic links; `git restore`"),
        (lambda file: file.symlink_to("nowhere.yaml"), "is a link to a file that does not exist; `git restore`"),
    ],
    ids=["nothing", "cut", "folder", "FIFO", "link to itself", "link to nothing"],
)
def test_a_list_that_is_damaged_on_disk_is_one_sentence(
    damage: Callable[[Path], object], said: str, name: str, tmp_path: Path
) -> None:
    damage(tmp_path / name)
    with pytest.raises(SettingsError) as refusal:
        read_pins(tmp_path / name)
    (error,) = refusal.value.errors
    assert said in error.message


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        (None, "redis = null: must hold repository, name, version"),
        ({"repository": "oci://r", "name": "redis"}, "redis.version: is missing"),
        ({"repository": "oci://r", "name": "redis", "version": 1.2}, "redis.version = 1.2: must be a text"),
        ({"repository": "r", "name": "n", "version": "1", "digest": "nope"}, "redis.digest = nope: must be sha256:"),
        ({"repository": "r", "name": "n", "version": "1", "digset": "x"}, "redis.digset: is no known key"),
    ],
)
def test_a_pin_that_lacks_something_is_refused_by_its_key(pin: object, said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        pin_of(Path("helm/charts.yaml"), "redis", pin, required=NEEDED, known=(*NEEDED, "digest"))
    assert str(refusal.value).startswith(f"helm/charts.yaml: {said}")
