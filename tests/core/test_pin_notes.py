"""What `env check` says of images and charts that are pinned by version only."""

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.errors import OperatorError
from scripts.core.notes.pins import open_charts, pin_note, required_pins
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools, ensure
from scripts.images.environment_images import EnvironmentImages
from stacks.platform.common.catalogue import Chart, Image, charts, images
from stacks.settings import Settings, load_settings

DIGEST = f"sha256:{'0' * 64}"
ROOT = Path(__file__).parents[2]


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
        ("cert-manager/controller", True, r"1 of 41 images and 0 of 11 charts .* images cert-manager/controller; "),
        ("opik/backend", False, r"1 of 41 images and 0 of 11 charts .* images opik/backend; charts none"),
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
    assert "0 of 41 images and 1 of 11 charts" in note
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


def _requiring(name: str = "dev") -> Settings:
    settings = load_settings(name)
    return settings.model_copy(update={"images": settings.images.model_copy(update={"require_pins": True})})


def test_an_environment_that_requires_pins_is_refused_without_one_and_taken_with_all() -> None:
    lacking = {**pinned_images(), "litellm/proxy": replace(images()["litellm/proxy"], digest=None)}
    (refused,) = required_pins(_requiring(), lacking, pinned_charts())
    assert refused.key == ("images", "require_pins")
    assert "litellm/proxy" in refused.message
    assert list(required_pins(_requiring(), pinned_images(), pinned_charts())) == []
    assert list(required_pins(load_settings("dev"), lacking, pinned_charts())) == []


def test_env_check_refuses_the_file(tmp_path: Path) -> None:
    text = (ROOT / "environments" / "dev.yaml").read_text("utf-8")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text(f"{text}\nimages:\n  require_pins: true\n")
    errors = [str(error) for error in verdict_of("dev", tmp_path, None).errors]
    assert any("images.require_pins" in error and "pinned by version only" in error for error in errors), errors


def test_a_deployment_of_such_an_environment_asks_no_registry_before_it_is_refused() -> None:
    class Shop:
        settings = _requiring()

        def inspect(self) -> list[object]:
            raise AssertionError("the registry was asked")

    with pytest.raises(OperatorError, match="pinned by version only"):
        ensure(cast("EnvironmentImages", Shop()), Tools(), Processes())


def test_a_deployment_names_the_charts_that_nothing_compares() -> None:
    dev = load_settings("dev")
    used = {"kube-prometheus-stack"} if dev.monitoring.enabled else set()
    assert set(open_charts(dev)) <= used, "Tailscale's chart is in use with a private ingress alone"
    assert not {name for name in open_charts(dev) if charts()[name].digest}
