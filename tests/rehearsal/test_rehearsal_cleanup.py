"""`llmctl cleanup` with the real Terraform on fake providers: what goes, what stays, killed, and deployed again."""

import json
import os
import random
from pathlib import Path

import pytest

from scripts.cli.deploy.destroy import PROTECTED
from scripts.core.errors import OperatorError
from scripts.core.tiers import DURABLE
from scripts.deployment.leaving.modes import Mode
from scripts.deployment.taking_down import take_down
from scripts.lab.rehearsal.cloud import Cloud
from stacks.settings.data import DataDisk
from tests.support.rehearsal.cleanup_drill import CleanupDrill
from tests.support.rehearsal.killing import Killing

pytestmark = pytest.mark.rehearsal

PROGRAM = "import sys; from tests.support.rehearsal.cleanup_drill import main; main(sys.argv[1:])"
KILLS = int(os.environ.get("KILLS", "2"))
"""How often a run is killed, each time at another moment, drawn at random."""
SERVER, DISKS = "azurerm_postgresql_flexible_server llm-dev-pg", "azurerm_managed_disk llm-dev-"
UPLOADS = "azurerm_storage_account llmdevfil"


def _anew(before: dict[str, int], after: dict[str, int], beginning: str) -> dict[str, int]:
    """Return the objects that were made again, and assert that each begins so or belongs to what does."""
    assert before.keys() == after.keys()
    again = {name: life for name, life in after.items() if life != before[name]}
    assert any(name.startswith(beginning) for name in again)
    return again


def test_what_a_mode_names_is_made_anew_and_everything_else_stays_with_its_protection(tmp_path: Path) -> None:
    drill = CleanupDrill(tmp_path / "drill")
    drill.deploy("disks", "database")
    lives = drill.lives()
    allowed = {
        Mode.DATABASES: ("azurerm_postgresql_", "azurerm_resource_group_policy_assignment llm-dev-keep-database"),
        Mode.UPLOADS: ("azurerm_storage_", "azurerm_resource_group_policy_assignment llm-dev-keep-"),
        Mode.TRACES: ("azurerm_managed_disk ", "azurerm_management_lock ", "azurerm_data_protection_backup_instance_"),
    }
    for mode, beginnings in allowed.items():
        drill.clean_up(mode)
        again = _anew(lives, drill.lives(), {"databases": SERVER, "uploads": UPLOADS, "traces": DISKS}[mode.value])
        assert [name for name in again if not name.startswith(beginnings)] == [], mode
        lives = drill.lives()
        for stack in ("disks", "database"):
            content = (drill.rehearsal.workspace.output / "stacks" / stack / "cdk.tf.json").read_text("utf-8")
            assert '"prevent_destroy": false' not in content
    (vault,) = Cloud(drill.rehearsal.folder).objects("azurerm_data_protection_backup_vault")
    assert (vault.state["immutability"], vault.state["soft_delete"]) == ("Unlocked", "On")


def test_an_environment_given_up_for_good_is_gone_wherever_it_was_killed_and_can_be_deployed_again(
    tmp_path: Path,
) -> None:
    drill = CleanupDrill(tmp_path / "drill")
    drill.deploy()
    first = drill.lives()
    drill.add_remains()
    job = drill.job("destroy", destroy=True)
    with drill.rollout(job) as run, pytest.raises(OperatorError, match="nothing was destroyed"):
        take_down(run, job.targets, "dev")
    assert "llmctl cleanup" in PROTECTED

    killing = Killing(tmp_path / "killing", PROGRAM, str(drill.rehearsal.folder), Mode.EVERYTHING.value)
    drawn = random.Random(os.environ.get("SEED"))
    for _ in range(KILLS):
        # Each run goes on from the one before, so that small numbers reach every step.
        at, when = drawn.randint(1, 24), drawn.choice(["before", "after"])
        print(f"killed {when} call {at}: {killing.run(at, when)}")
    killing.run()
    assert drill.lives() == {}, "backup sets, their locks, and what restores put aside are gone as well"
    assert {stack: drill.rehearsal.instances(stack) for stack in DURABLE} == {stack: {} for stack in DURABLE}

    drill.deploy()
    assert drill.lives().keys() == first.keys() or _without_guids(drill.lives()) == _without_guids(first)
    with drill.rollout(drill.job("diff")) as run:
        run.plan()
        assert {str(plan.changes) for plan in run.plans.values()} == {"no changes"}
    database = json.loads((drill.rehearsal.workspace.output / "stacks/database/cdk.tf.json").read_text("utf-8"))
    vault = database["provider"]["azurerm"][0]["features"][0]["key_vault"][0]
    assert vault["recover_soft_deleted_secrets"] is False


def test_backup_sets_that_are_left_outlive_everything_with_their_locks_and_manifests(tmp_path: Path) -> None:
    drill = CleanupDrill(tmp_path / "drill")
    drill.deploy("disks", "database")
    drill.add_remains()
    drill.clean_up(Mode.EVERYTHING, keep_backups=True)
    left = drill.lives().keys()
    assert {name for name in left if name.startswith("azurerm_snapshot ")} == {
        f"azurerm_snapshot llm-dev-{disk}-set" for disk in DataDisk
    }
    assert {name.split(" ")[0] for name in left} == {
        "azurerm_snapshot",
        "azurerm_management_lock",
        "azurerm_resource_group",
        "azurerm_storage_account",
        "azurerm_storage_container",
        "azurerm_role_assignment",
        "azurerm_resource_group_policy_assignment",
        "azurerm_policy_definition",
    }
    assert "azurerm_resource_group llm-dev-disks-backup-sets" in left
    assert len([name for name in left if name.startswith("azurerm_resource_group ")]) == 1
    drill.clean_up(Mode.EVERYTHING, keep_backups=True)
    assert drill.lives().keys() == left


def _without_guids(lives: dict[str, int]) -> list[str]:
    return sorted(name.split(" ")[0] for name in lives)
