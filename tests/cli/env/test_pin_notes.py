"""What `env check` says of images and charts that are pinned by version only."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.pin_notes import pin_note
from stacks.platform.common.catalogue import Chart, Image, charts, images
from stacks.settings import load_settings

DIGEST = f"sha256:{'0' * 64}"
ROOT = Path(__file__).parents[3]


def _image(image: Image, *, commit: bool = True) -> Image:
    build = replace(image.build, commit="0" * 40 if commit else None) if image.build else None
    return replace(image, digest=DIGEST, build=build)


def pinned_images() -> dict[str, Image]:
    return {name: _image(image) for name, image in images().items()}


def pinned_charts() -> dict[str, Chart]:
    return {name: replace(chart, digest=DIGEST) for name, chart in charts().items()}


def test_nothing_is_said_where_everything_is_pinned_or_the_environment_is_a_small_one() -> None:
    assert pin_note(load_settings("prod"), pinned_images(), pinned_charts()) == ""
    assert pin_note(load_settings("dev"), {}, {}) == ""


@pytest.mark.parametrize(
    ("name", "commit", "says"),
    [
        ("cert-manager/controller", True, r"1 of 40 images and 0 of 11 charts .* images cert-manager/controller; "),
        ("opik/backend", False, r"1 of 40 images and 0 of 11 charts .* images opik/backend; charts none"),
    ],
)
def test_an_image_without_digest_and_source_without_commit_are_counted_and_named(
    name: str, commit: bool, says: str
) -> None:
    image = images()[name]
    lacking = replace(image, digest=None) if commit else _image(image, commit=False)
    note = pin_note(load_settings("prod"), {**pinned_images(), name: lacking}, pinned_charts())
    assert re.search(says, note), note


def test_a_chart_without_digest_is_counted_and_named() -> None:
    some = {**pinned_charts(), "opik": charts()["opik"]}
    note = pin_note(load_settings("prod"), pinned_images(), {**some, "opik": replace(some["opik"], digest=None)})
    assert "0 of 40 images and 1 of 11 charts" in note
    assert note.endswith("images none; charts opik")


def test_opik_at_another_version_than_the_pinned_one_is_not_pinned() -> None:
    settings = load_settings("prod")
    other = settings.model_copy(update={"opik": settings.opik.model_copy(update={"version": "2.1.99"})})
    note = pin_note(other, pinned_images(), pinned_charts())
    assert "opik/backend" in note
    assert note.endswith("charts opik")


def test_env_check_says_how_it_stands_today() -> None:
    found = [note for note in verdict_of("prod", ROOT, None).notes if note.startswith("supply chain: ")]
    everything = pin_note(load_settings("prod"))
    assert found == ([everything] if everything else [])
