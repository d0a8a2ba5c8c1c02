"""A local state that a killed run cut off is distinguished from a whole one, from none, and from one being written."""

import json
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from scripts.bootstrap.terraform import Terraform
from scripts.cli.cleanup.cleanup import Cleanup
from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.deployment.leaving.modes import Mode
from scripts.terraform.outputs import read_outputs
from scripts.terraform.stack import CutStateError, TerraformError, unreadable_state
from scripts.terraform.state.cut_off import cut_state
from scripts.terraform.state.places import Place
from tests.support.cli.terraform_projects import rollout, write_project
from tests.support.opik.settings import settings_of

WHOLE = {"version": 4, "serial": 7, "lineage": "one", "outputs": {}, "resources": []}
PART = json.dumps(WHOLE)[:20]
APPLYING = json.dumps({"ID": "1", "Operation": "OperationTypeApply", "Who": "operator@laptop"})
PLANNING = json.dumps({"ID": "1", "Operation": "OperationTypePlan", "Who": "operator@laptop"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "cdktf.out" / "dev" / "stacks" / "disks"
    folder.mkdir(parents=True)
    (tmp_path / "state" / "dev").mkdir(parents=True)
    backend = {"local": {"path": "../../../../state/dev/disks.tfstate"}}
    (folder / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    return folder


def left(folder: Path, text: str | None, *, backup: str = "", lock: str = "") -> Path:
    """Leave these files where the state is kept; return the state file."""
    state = folder.parents[3] / "state" / "dev" / "disks.tfstate"
    if text is not None:
        state.write_text(text)
    if backup:
        state.with_name("disks.tfstate.backup").write_text(backup)
    if lock:
        state.with_name(".disks.tfstate.lock.info").write_text(lock)
    return state


def test_a_whole_state_and_none_are_not_cut_off(folder: Path) -> None:
    left(folder, None, lock=APPLYING)
    assert cut_state(folder) is None
    left(folder, json.dumps(WHOLE), backup="")
    assert cut_state(folder) is None


@pytest.mark.parametrize("text", [PART, "{", '{"serial": 7}', "null", "[]", ""])
def test_a_part_of_a_state_is_cut_off_and_what_was_before_is_known(folder: Path, text: str) -> None:
    left(folder, text, backup=json.dumps(WHOLE))
    found = cut_state(folder)
    assert found is not None
    assert found.kept == WHOLE
    assert found.message.startswith("Error: The state of disks is cut off\n")
    assert "is in disks.tfstate.backup" in found.message


@pytest.mark.parametrize(("lock", "cut"), [(APPLYING, True), (PLANNING, False), ("", False), ("{", False)])
def test_an_empty_state_without_a_backup_is_cut_off_only_where_an_apply_left_it(
    folder: Path, lock: str, cut: bool
) -> None:
    left(folder, "", lock=lock)
    found = cut_state(folder)
    assert (found is not None) is cut
    if found:
        assert found.kept is None


def test_a_state_that_somebody_writes_at_this_moment_is_not_cut_off(folder: Path) -> None:
    state = left(folder, PART, backup=json.dumps(WHOLE))
    holding = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX); print(1, flush=True);"
        " sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        assert cut_state(folder) is None
        writer.stdin.close()
    assert cut_state(folder) is not None


def test_a_state_elsewhere_is_left_to_terraform(folder: Path) -> None:
    left(folder, PART)
    (folder / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"azurerm": {"key": "disks"}}}}))
    assert cut_state(folder) is None


def test_a_whole_state_takes_its_place_for_its_owner_alone_and_the_part_is_kept(folder: Path) -> None:
    state = left(folder, PART)
    found = cut_state(folder)
    assert found is not None
    found.replace(WHOLE)
    assert json.loads(state.read_text()) == WHOLE
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    (kept,) = state.parent.glob("disks.tfstate.*.cut-off")
    assert kept.read_text() == PART
    assert cut_state(folder) is None


NONE_IS_STARTED = Terraform("/nowhere/terraform", "1.11.0")


def test_what_cannot_be_opened_is_left_to_terraform(folder: Path) -> None:
    (folder.parents[3] / "state" / "dev" / "disks.tfstate").mkdir()
    assert cut_state(folder) is None


@pytest.mark.parametrize("text", [PART, "\x00\xff", "[]"])
def test_outputs_of_a_damaged_state_end_in_one_sentence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = rollout(write_project(tmp_path), "disks", program=NONE_IS_STARTED)
    (tmp_path / "state" / "dev").mkdir(parents=True)
    left(run.runner("disks").stack.folder, text)
    with pytest.raises(OperatorError) as refusal:
        read_outputs("dev", run.runners)
    assert_names_the_file(refusal.value, tmp_path)
    assert capsys.readouterr().err == ""


def test_history_of_a_damaged_state_ends_in_the_same_sentence(tmp_path: Path) -> None:
    workspace = write_project(tmp_path)
    (tmp_path / "state" / "dev").mkdir(parents=True)
    left(workspace.output / "stacks" / "disks", PART, backup=json.dumps(WHOLE))
    with pytest.raises(OperatorError) as refusal:
        Place(workspace.output, workspace, NONE_IS_STARTED, Processes()).read("disks")
    assert_names_the_file(refusal.value, tmp_path)
    assert "takes disks.tfstate.backup and imports" in refusal.value.fix


@pytest.mark.parametrize("read", ["outputs", "resources", "refresh", "plan"])
def test_terraform_is_not_asked_about_a_damaged_state(read: str, tmp_path: Path) -> None:
    run = rollout(write_project(tmp_path), "disks", program=NONE_IS_STARTED)
    (tmp_path / "state" / "dev").mkdir(parents=True)
    left(run.runner("disks").stack.folder, PART)
    with pytest.raises(CutStateError):
        getattr(run.runner("disks"), read)()


def test_what_cleanup_and_restore_end_with_is_the_same_sentence_and_any_other_cause_is_named(tmp_path: Path) -> None:
    run = rollout(write_project(tmp_path), "disks", program=NONE_IS_STARTED)
    (tmp_path / "state" / "dev").mkdir(parents=True)
    left(run.runner("disks").stack.folder, PART)
    tools = Tools(rollout=lambda _job: nullcontext(run), workspace=lambda _name: run.workspace)
    with pytest.raises(OperatorError) as refusal:
        Cleanup(settings_of("dev"), Mode.PLATFORM, tools).states()
    assert_names_the_file(refusal.value, tmp_path)
    other = unreadable_state(TerraformError("disks", "show", "Error: no lock\n"), "dev")
    assert str(other) == "disks: its state cannot be read: Error: no lock"


def assert_names_the_file(error: OperatorError, base: Path) -> None:
    file = base / "state" / "dev" / "disks.tfstate"
    assert error.message == f"{file} is damaged: it holds no whole Terraform state"
    assert error.code == ExitCode.NOT_READY
    assert "`llmctl state adopt disks dev`" in error.fix
