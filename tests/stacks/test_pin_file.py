"""A list of pinned charts or images that cannot be used is answered in one sentence: file, key, fix."""

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


def test_a_folder_and_nothing_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no file"):
        read_pins(tmp_path)
    with pytest.raises(SettingsError, match="does not exist"):
        read_pins(tmp_path / "charts.yaml")


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
