"""A seeded part of the drills, on stacks that are deployed in seconds; `llmctl drill all` plays all of them."""

from dataclasses import replace

import pytest

from scripts.cli.develop.drills.catalogue import DRILLS
from scripts.cli.develop.drills.way_out import adopt
from scripts.lab.drills.base import Drill, Size
from scripts.lab.drills.differences import differences
from scripts.lab.drills.recovery import Recovery, recover
from scripts.lab.drills.stage import WHOLE, Stage
from scripts.lab.drills.watched import watched
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import load_settings

pytestmark = pytest.mark.rehearsal

PLAYED = {
    "killed": Size(seed=14, moments=2, stacks=("acr",)),
    "entra-away": Size(stacks=("identity",)),
    **dict.fromkeys(
        (
            "two-operators",
            "failing",
            "throttled",
            "state-lost",
            "state-cut",
            "slow",
            "login-expired",
            "registry-away",
        ),
        Size(stacks=("acr",)),
    ),
}
"""Those that need stacks of minutes are in `test_drills_whole.py`."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    found = Stage(Rehearsal(load_settings("dev"), tmp_path_factory.mktemp("drills")), ("identity", "acr"), adopt=adopt)
    found.build()
    return found


@pytest.mark.parametrize("drill", [drill for drill in DRILLS if drill.name in PLAYED], ids=lambda drill: drill.name)
def test_everything_survives(stage: Stage, drill: Drill) -> None:
    findings = list(drill.play(stage, PLAYED[drill.name]))
    assert findings
    assert [finding for finding in findings if not finding.survived] == []


def test_a_lost_answer_is_recognised_and_taken_over(stage: Stage) -> None:
    (drill,) = (found for found in DRILLS if found.name == "answer-lost")
    (finding,) = drill.play(stage, Size(stacks=("acr",)))
    assert finding.survived, finding
    assert finding.taken_over == stage.writes["acr"]


def test_the_next_drill_begins_with_what_was_built_until_something_of_it_changes(stage: Stage) -> None:
    def again(text: str = "") -> Stage:
        settings = load_settings("dev")
        return Stage(Rehearsal(settings, stage.folder, fresh=False), stage.stacks, adopt=adopt, text=text)

    built = stage.file.read_text("utf-8")
    try:
        next_one = again()
        assert next_one.resume()
        assert next_one.writes == stage.writes
        assert differences(next_one, "acr") == ""
        assert not again(f"{built}\n# other\n").resume()
    finally:
        stage.file.write_text(built, "utf-8")


def test_what_does_not_survive_is_found(stage: Stage) -> None:
    def lose_the_registry() -> Recovery:
        cloud = stage.cloud()
        (registry,) = cloud.objects("azurerm_container_registry")
        cloud.delete(registry.key)
        return recover(stage, "acr")

    def leave_something() -> Recovery:
        cloud = stage.cloud()
        cloud.create(replace(cloud.objects("azurerm_resource_group")[0], key="x", id="/x"))
        return Recovery()

    def leave_a_lock() -> Recovery:
        (stage.folder / "state" / "dev" / ".acr.tfstate.lock.info").write_text("{}")
        return Recovery()

    lost = watched(stage, "registry deleted", lose_the_registry, "acr")
    assert not lost.survived
    assert [found.partition("|")[0] for found in lost.lost] == ["azurerm_container_registry"]
    assert "in no state" in watched(stage, "something else", leave_something, "acr").problem
    assert "locks are left" in watched(stage, "a lock", leave_a_lock, "acr").problem
    stage.reset(WHOLE)
