"""A local state file that a killed run has cut off: recognized, read around, and written again.

Terraform empties the file before it writes it (`Filesystem.writeState` in internal/states/statemgr/filesystem.go). A
machine that goes off in between leaves a part of it, or nothing, and nothing reads as "nothing is deployed".
"""

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

State = dict[str, Any]


@dataclass(frozen=True)
class CutState:
    """A file that holds no whole state."""

    file: Path
    kept: State | None
    """The state before the run that was killed, which Terraform had kept beside the file; None where it has not."""

    @property
    def message(self) -> str:
        """What is said instead of planning with it, as one of Terraform's errors."""
        before = "there was none" if self.kept is None else f"is in {self.file.name}.backup"
        return (
            f"Error: The state of {self.file.stem} is cut off\n\n{self.file} holds no whole state, because the run that"
            f" wrote it was killed meanwhile. The state before that run: {before}. What that run made exists, and is in"
            " no state.\n"
        )

    def refusal(self, environment: str) -> OperatorError:
        """What a command ends with that only reads the state, and so prints nothing of Terraform's."""
        before = "imports" if self.kept is None else f"takes {self.file.name}.backup and imports"
        return OperatorError(
            f"{self.file} is damaged: it holds no whole Terraform state",
            f"put back a copy of the file, or `llmctl state adopt {self.file.stem} {environment}` {before} what exists"
            " besides; it shows both and asks",
            ExitCode.NOT_READY,
        )

    def replace(self, state: State) -> None:
        """Write a whole state in one step; the part of the old one stays under another name."""
        kept = self.file.with_name(f"{self.file.name}.{datetime.now(UTC):%Y%m%d%H%M%S}.cut-off")
        kept.write_bytes(self.file.read_bytes())
        draft = self.file.with_name(f"{self.file.name}.{os.getpid()}.tmp")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(state), "utf-8")
        draft.replace(self.file)


def cut_state(folder: Path) -> CutState | None:
    """Return the state of the stack in `folder` where it is cut off; None for a whole one, a remote one, and none.

    A file that somebody is writing at this moment is not cut off.
    """
    file = _local(folder)
    if file is None or not file.exists() or _whole(file) is not None:
        return None
    kept = _whole(file.with_name(f"{file.name}.backup"))
    if file.stat().st_size == 0 and kept is None and not _applied(file):
        # As a plan that was killed before anything was deployed leaves it.
        return None
    return None if _in_use(file) else CutState(file, kept)


def _local(folder: Path) -> Path | None:
    try:
        path = json.loads((folder / "cdk.tf.json").read_text("utf-8"))["terraform"]["backend"]["local"]["path"]
    except (OSError, ValueError, KeyError):
        return None
    return Path(os.path.normpath(folder / path))


def _whole(file: Path) -> State | None:
    try:
        found: State = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "version" in found else None


def _applied(file: Path) -> bool:
    """Tell whether the lock that is left says that the dead run was applying."""
    try:
        lock = json.loads(file.with_name(f".{file.name}.lock.info").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return str(lock.get("Operation")) == "OperationTypeApply"


def _in_use(file: Path) -> bool:
    # Terraform holds a POSIX lock on the file itself, which goes with its process.
    # What cannot be opened, such as a folder or somebody else's file, is left to Terraform as well.
    try:
        with file.open("r+b") as opened:
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
