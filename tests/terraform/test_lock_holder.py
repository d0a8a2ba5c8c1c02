"""A lock whose holder ended on this machine is told from one that may be held."""

import re

import pytest

from scripts.terraform.advice import unlock
from scripts.terraform.diagnose import diagnose
from scripts.terraform.lock_holder import LockHolder, here, programs

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
