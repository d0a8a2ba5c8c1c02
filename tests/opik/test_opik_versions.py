"""Which version of Opik may follow which, and where an environment's version comes from."""

import itertools

import pytest

from scripts.opik.versions import MILESTONES, OLDEST, Version, crossed, refused_rollback, refused_upgrade, sdk_mismatch
from stacks.platform.common.catalogue import Build, Chart, Image
from stacks.platform.components.opik import version as opik_version
from stacks.platform.components.opik.version import at_chosen_version
from stacks.settings import Settings, load_settings

V = Version.parse


def environment(version: str | None) -> Settings:
    settings = load_settings("dev")
    return settings.model_copy(update={"opik": settings.opik.model_copy(update={"version": version})})


def test_versions_are_ordered_by_number_and_not_by_text() -> None:
    assert V("2.1.9") < V("2.1.23") < V("2.10.0") < V("10.0.0")
    assert str(V(" 2.1.23\n")) == "2.1.23"


@pytest.mark.parametrize("text", ["v2.1.23", "2.1", "2.1.23-rc1", "latest", "", "2.1.23.4", "2.1.x"])
def test_what_is_no_release_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="no release of Opik"):
        V(text)


@pytest.mark.parametrize(
    ("running", "wanted", "why"),
    [
        (None, "2.1.23", ""),
        ("2.1.23", "2.1.23", ""),
        ("2.1.23", "2.2.0", ""),
        ("2.1.30", "2.1.29", "opik rollback"),
        ("2.1.23", "2.1.22", "oldest chart"),
        (None, "1.9.0", "oldest chart"),
        ("1.6.9", "2.1.23", "in 1.7.0"),
        ("1.8.52", "2.1.23", "in 1.9.40"),
        ("1.9.91", "2.1.23", ""),
    ],
)
def test_an_upgrade_goes_forward_and_over_no_step_that_needs_hands(running: str | None, wanted: str, why: str) -> None:
    answer = refused_upgrade(V(running) if running else None, V(wanted))
    assert why in answer
    assert bool(answer) == bool(why)


@pytest.mark.parametrize(
    ("running", "wanted", "why"),
    [
        ("2.1.30", "2.1.23", ""),
        ("2.1.23", "2.1.23", "not older"),
        ("2.1.23", "2.1.30", "not older"),
        ("2.1.30", "2.1.20", "oldest chart"),
        ("2.1.30", "1.9.0", "oldest chart"),
    ],
)
def test_a_rollback_goes_back_but_not_below_what_the_values_fit(running: str, wanted: str, why: str) -> None:
    answer = refused_rollback(V(running), V(wanted))
    assert why in answer
    assert bool(answer) == bool(why)


def test_a_milestone_that_cannot_be_undone_refuses_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.opik.versions.OLDEST", V("1.0.0"))
    assert "2.0.0 cannot be undone" in refused_rollback(V("2.1.23"), V("1.9.95"))


def test_milestones_stand_in_order_and_are_crossed_in_both_directions() -> None:
    assert all(one.version < two.version for one, two in itertools.pairwise(MILESTONES))
    assert crossed(V("1.9.91"), V("2.1.23")) == crossed(V("2.1.23"), V("1.9.91")) == list(MILESTONES[2:])
    assert crossed(OLDEST, V("2.9.9")) == []
    assert [step.version for step in crossed(V("1.9.39"), V("1.9.40"))] == [V("1.9.40")]


@pytest.mark.parametrize(
    ("sdk", "fits"), [("2.1.23", True), ("2.1.20", True), ("2.1.24", False), ("2.0.23", False), ("1.9.1", False)]
)
def test_an_sdk_fits_a_server_of_its_own_release_that_is_not_older(sdk: str, fits: bool) -> None:
    answer = sdk_mismatch(V(sdk), V("2.1.23"))
    assert bool(answer) != fits
    assert fits or "pip install opik==2.1.23" in answer


@pytest.fixture
def _pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart(repository="https://example.org", name="opik", version="2.1.23")
    monkeypatch.setattr(opik_version, "charts", lambda: {"opik": chart})


IMAGES = {
    "opik/backend": Image(
        repository="ghcr.io/comet-ml/opik/opik-backend",
        tag="2.1.23",
        digest="sha256:" + "0" * 64,
        build=Build(git="https://example.org/opik", context="apps/opik-backend", args={"OPIK_VERSION": "{tag}"}),
    ),
    "opik/mysql": Image(repository="docker.io/library/mysql", tag="8.4.2"),
    "cert-manager/controller": Image(repository="quay.io/c", tag="2.1.23"),
}


@pytest.mark.usefixtures("_pinned")
def test_the_environments_version_wins_over_the_pin_and_moves_opiks_own_images_alone() -> None:
    chosen = environment("2.1.30")
    assert opik_version.opik_version(chosen.opik) == "2.1.30"
    moved = at_chosen_version(IMAGES, chosen)
    backend = moved["opik/backend"]
    assert (backend.tag, backend.digest) == ("2.1.30", None)
    assert backend.build is not None
    assert backend.build.arguments(backend.tag) == {"OPIK_VERSION": "2.1.30"}
    assert {name for name in moved if moved[name] != IMAGES[name]} == {"opik/backend"}


@pytest.mark.usefixtures("_pinned")
@pytest.mark.parametrize("version", [None, "2.1.23"])
def test_the_pin_decides_where_the_environment_does_not_and_keeps_its_digests(version: str | None) -> None:
    assert opik_version.opik_version(environment(version).opik) == "2.1.23"
    assert at_chosen_version(IMAGES, environment(version)) == IMAGES
