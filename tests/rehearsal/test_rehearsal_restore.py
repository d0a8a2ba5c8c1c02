"""`llmctl db restore` with the real Terraform on fake providers: refused, stopped, killed, aborted, and done."""

import os
import random
import shutil
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.cloud import Cloud
from tests.support.cli.environment_folder import use_environments
from tests.support.rehearsal.database_drill import FILE, MOMENT, Drill
from tests.support.rehearsal.killing import Killing

pytestmark = pytest.mark.rehearsal

FAULTS = """\
- {resource: azurerm_postgresql_flexible_server, on: create, effect: fail, times: 1}
- {resource: "azurerm_postgresql_flexible_server.*", on: create, effect: lose-answer, times: 1}
- {resource: helm_release.litellm, on: update, effect: fail, times: 1}
"""
PROGRAM = "import sys; from tests.support.rehearsal.database_drill import main; main(sys.argv[1:])"
OLD, NEW = "llm-dev-pg-f2hbm", "llm-dev-pg2-f2hbm"
CHANGED = ("environments", "drill/cloud.db", "drill/vault.db", "drill/state")
"""What a command changes of an environment in a folder."""
KILLS = int(os.environ.get("KILLS", "1"))
"""Moments of a kill that a run tries, drawn at random; 0 tries all."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_environments(tmp_path / "environments", monkeypatch)
    return tmp_path


def _with_a_database(folder: Path) -> Drill:
    drill = Drill(folder, ())
    drill.synthesize()
    assert drill.rehearsal.rollout("database").apply(["database"], any_loss=False)
    return drill


def test_the_old_server_stays_and_everything_moves_to_the_new_one(root: Path) -> None:
    drill = Drill(root)
    drill.synthesize()
    first = drill.rehearsal.rollout()
    assert first.apply(DURABLE, any_loss=False)
    assert first.apply(DISPOSABLE, any_loss=False)
    before = drill.servers()
    (old,) = before
    (drill.rehearsal.folder / "faults.yaml").write_text(FAULTS, "utf-8")

    for servers in (1, 2):  # refused, then made with the answer lost
        with pytest.raises(OperatorError, match="the old one is in use"):
            drill.restore()
        assert len(drill.servers()) == servers
        assert drill.in_state() == {old}
        assert drill.file.read_text("utf-8") == FILE
    new = (drill.servers().keys() - before.keys()).pop()

    with pytest.raises(OperatorError, match="not everything uses it yet"):
        drill.restore()
    assert drill.in_state() == {new}
    assert drill.verified == []

    assert drill.restore().left == (old,)
    assert drill.verified == ["dev"]
    assert drill.servers().items() > before.items()
    assert drill.in_state() == {new}
    deleted = {event.type for event in Cloud(drill.rehearsal.folder).journal() if event.operation == "delete"}
    assert deleted == {"azurerm_private_endpoint", "azurerm_monitor_diagnostic_setting", "kubernetes_job_v1"}

    (endpoint,) = [
        endpoint
        for endpoint in Cloud(drill.rehearsal.folder).objects("azurerm_private_endpoint")
        if "flexibleServers" in str(endpoint)
    ]
    assert f"flexibleServers/{new}" in str(endpoint)
    platform = drill.rehearsal.state_file("platform").read_text("utf-8")
    assert f"{new}.postgres.database.azure.com" in platform
    assert f"{old}.postgres.database.azure.com" not in platform
    text = drill.file.read_text("utf-8")
    assert "database: # with a comment that stays\n  sku: B_Standard_B2s\n  generation: 2\n" in text
    assert f"restore_time_utc: {MOMENT}" in text

    again = drill.rehearsal.rollout()
    again.plan()
    assert {name: str(plan.changes) for name, plan in again.plans.items()} == dict.fromkeys(STACKS, "no changes")


def test_a_restore_that_azure_has_no_backup_for_changes_nothing_and_a_later_time_is_taken(root: Path) -> None:
    drill = _with_a_database(root)
    journal = len(Cloud(drill.rehearsal.folder).journal())
    with pytest.raises(OperatorError, match="earliest point is 2026-10-30") as refused:
        drill.restore("2026-10-29T12:00:00Z")
    assert refused.value.code is ExitCode.REFUSED
    assert drill.restore(dry_run=True).server == NEW
    assert drill.file.read_text("utf-8") == FILE
    assert drill.in_state() == {OLD}
    assert len(Cloud(drill.rehearsal.folder).journal()) == journal

    drill.restore()
    assert drill.in_state() == {NEW}
    # Back to the old one, and from it to an earlier time than the new server's backups hold.
    assert drill.abort().left == (NEW,)
    assert drill.in_state() == {OLD}
    assert drill.file.read_text("utf-8") == f"{FILE}  generation: 1\n"
    # The name of the server that was left is not taken again.
    assert drill.restore("2026-10-31T12:00:00Z").server == "llm-dev-pg3-f2hbm"
    # From another server than the one in use.
    assert drill.restore("2026-10-31T13:00:00Z", from_=OLD).server == "llm-dev-pg4-f2hbm"
    assert f"flexibleServers/{OLD}\n" in drill.file.read_text("utf-8")
    assert drill.servers().keys() == {OLD, NEW, "llm-dev-pg3-f2hbm", "llm-dev-pg4-f2hbm"}


def _moments(calls: int, kind: str) -> list[tuple[int, str]]:
    every = [(number, when) for number in range(1, calls + 1) for when in ("before", "after")]
    chosen = random.Random(os.environ.get("SEED")).sample(every, KILLS) if KILLS else every
    print(f"{kind}: {calls} calls of Terraform, killed at {chosen}")
    return chosen


def _keep(root: Path, kept: Path) -> None:
    for name in CHANGED:
        (shutil.copytree if (root / name).is_dir() else shutil.copy2)(root / name, kept / name)


def _as_kept(root: Path, kept: Path) -> None:
    for name in CHANGED:
        target = root / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    _keep(kept, root)


def test_a_restore_and_the_way_back_go_on_wherever_they_were_killed(root: Path, tmp_path: Path) -> None:
    """At each moment the state holds one server that exists, and the same command ends as if nothing had happened."""
    drill = _with_a_database(root)
    ways = {
        "there": (Killing(tmp_path / "there", PROGRAM, str(root), MOMENT), NEW),
        "back": (Killing(tmp_path / "back", PROGRAM, str(root), "--abort"), OLD),
    }
    moments = []
    for way, (killing, after) in ways.items():
        (tmp_path / "kept" / way / "drill").mkdir(parents=True)
        _keep(root, tmp_path / "kept" / way)
        killing.run()
        assert drill.in_state() == {after}
        moments += [(way, *moment) for moment in _moments(killing.calls, way)]
    # After the last import into the copy, whose outputs it has changed as well.
    moments.append(("back", ways["back"][0].calls - 2, "before"))
    for way, at, when in moments:
        _as_kept(root, tmp_path / "kept" / way)
        killing, after = ways[way]
        killed = killing.run(at, when)
        (server,) = drill.in_state()
        assert server in drill.servers(), (way, at, when)
        if killed:
            killing.run()
        assert drill.in_state() == {after}, (way, at, when)
        assert drill.servers().keys() == {OLD, NEW}, (way, at, when)
