"""A lock whose holder ended on this machine is distinguished from one that may be held."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.terraform.errors.diagnose import diagnose
from scripts.terraform.state.lock_holder import LockHolder, here, programs
from scripts.terraform.state.locked import not_unlocked, unlock

LOCKED = """
Error: Error acquiring the state lock

Error message: state blob is already locked
Lock Info:
  ID:        3c2f1f44-7a05-9fd9-f7dd-5f18fd7a8c11
  Path:      tfstate/dev/aks.tfstate
  Operation: OperationTypeApply
  Who:       operator@laptop
  Version:   1.11.4
  Created:   2026-11-21 10:00:00.123 +0000 UTC
"""
FOLDER, AGAIN = "cdktf.out/dev/stacks/aks", "`llmctl deploy dev`"


@pytest.mark.parametrize(
    ("me", "running", "ended"),
    [
        ("operator@laptop", ["bash", "python3"], True),
        ("operator@laptop", ["bash", "terraform"], False),
        ("operator@laptop", ["tofu"], False),
        ("operator@laptop", [], False),
        ("operator@elsewhere", ["bash"], False),
        ("somebody@laptop", ["bash"], False),
    ],
)
def test_a_holder_has_ended_only_where_that_is_known(me: str, running: list[str], ended: bool) -> None:
    assert LockHolder.of(LOCKED).ended(lambda: me, lambda: running) is ended


def test_a_lock_that_names_nobody_may_be_held() -> None:
    assert not LockHolder.of("Error: Error acquiring the state lock").ended(lambda: "operator@laptop", lambda: ["bash"])


def test_a_dead_holder_is_said_with_the_command_that_breaks_its_lock() -> None:
    command = "`llmctl state unlock dev aks 3c2f1f44-7a05-9fd9-f7dd-5f18fd7a8c11`, then `llmctl deploy dev`"
    dead = unlock(LOCKED, FOLDER, AGAIN, lambda _holder: True)
    assert dead.startswith("the run that took the lock on this machine at 2026-11-21 10:00:00.123 +0000 UTC has ended")
    assert dead.endswith(command)
    held = unlock(LOCKED, FOLDER, AGAIN, lambda _holder: False)
    assert held.startswith(
        "another run holds the state since 2026-11-21 10:00:00.123 +0000 UTC (operator@laptop); wait"
    )
    assert held.endswith(f"If it is dead: {command}")


@pytest.mark.programs
def test_this_machine_is_named_as_terraform_names_it_and_its_programs_are_listed() -> None:
    assert re.fullmatch(r"[^@\s]+@[^@\s]+", here())
    assert any("python" in name or "pytest" in name for name in programs())


def test_a_state_that_is_cut_off_has_another_way_out_than_a_lock() -> None:
    torn = (
        "\nError: Error acquiring the state lock\n\nError message: 2 problems:\n\n- Unsupported state file format: The"
        " state file could not be parsed as JSON:\nsyntax error at byte offset 100.\n"
    )
    for output in (torn, "Error: The state of aks is cut off\n\nFILE holds no whole state\n"):
        (found,) = diagnose(output, FOLDER, AGAIN)
        assert found.fix.startswith("`llmctl state adopt dev aks` takes what was there before that run")
        assert found.fix.endswith("then `llmctl deploy dev`")


def test_a_lease_without_a_name_is_broken_by_azure_since_terraform_cannot(tmp_path: Path) -> None:
    backend = {"resource_group_name": "state", "storage_account_name": "acmestate", "container_name": "tfstate",
               "key": "dev/aks.tfstate"}  # fmt: skip
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"azurerm": backend}}}))
    output = (
        "\nError: Error acquiring the state lock\n\nError message: state blob is already locked\nblob metadata"
        ' "terraformlockid" was empty\nLock Info:\n  ID:        \n  Who:       \n'
    )
    (found,) = diagnose(output, str(tmp_path), AGAIN)
    assert (
        "`az storage blob lease break --auth-mode login --account-name acmestate --container-name tfstate"
        " --blob-name dev/aks.tfstate`, then `llmctl deploy dev`"
    ) in found.fix
    assert "llmctl state unlock" not in found.fix
    refused = 'Failed to unlock state: failed to retrieve lock info: blob metadata "terraformlockid" was empty'
    assert not_unlocked(refused, str(tmp_path)).endswith("--blob-name dev/aks.tfstate`")
    assert not_unlocked('Failed to unlock state: lock id "x" does not match existing lock', str(tmp_path)) == ""
    assert "--account-name ACCOUNT" in unlock(output, "nowhere", AGAIN)


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not installed")
def test_the_lock_of_a_state_in_a_file_is_its_process_and_nothing_else(tmp_path: Path) -> None:
    """What the real Terraform says while another one holds the file, and once it has ended."""
    for name in ("began", "end"):
        os.mkfifo(tmp_path / name)
    held = {"command": "echo > began; read line < end"}
    resource = {"terraform_data": {"it": {"provisioner": [{"local-exec": held}]}}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"resource": resource}))
    variables = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}

    def terraform(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments, "-no-color"] if arguments[0] != "force-unlock" else ["terraform", *arguments],
            cwd=tmp_path, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert terraform("init").returncode == 0
    holder = subprocess.Popen(
        ["terraform", "apply", "-auto-approve"], cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL
    )
    (tmp_path / "began").read_text()
    refused = terraform("plan")
    lock = LockHolder.of(refused.stdout + refused.stderr)
    (locked,) = diagnose(refused.stdout + refused.stderr, FOLDER, AGAIN)
    broken = terraform("force-unlock", "-force", lock.lock)
    (tmp_path / "end").write_text("now\n")
    assert holder.wait() == 0

    assert lock.created
    assert locked.fix.startswith("a state in a file is locked by a Terraform process that runs on this machine")
    assert "llmctl state unlock" not in locked.fix
    assert broken.returncode == 1
    assert not_unlocked(broken.stdout + broken.stderr, FOLDER).startswith("a state in a file is locked by a Terraform")
    assert terraform("plan").returncode == 0
