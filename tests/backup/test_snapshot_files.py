"""Files that are missing come back from a snapshot of the share; what is there is left alone."""

import json
import subprocess
import sys
from pathlib import Path

from scripts.backup.snapshot_files import digits
from scripts.backup.snapshot_folder import PROGRAM
from scripts.cluster.pod_program import START

MOMENT = "2026-11-30T03:00:00.1234567Z"


def run(folder: Path) -> dict[str, object]:
    given = {
        "program": PROGRAM.read_text("utf-8"),
        "parameters": {"action": "restore", "folder": str(folder), "moment": MOMENT},
    }
    done = subprocess.run(
        [sys.executable, "-c", START], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_missing_files_come_back_and_nothing_is_overwritten(tmp_path: Path) -> None:
    snapshot = tmp_path / ".snapshots" / "2026-11-30T03.00.00.0000000Z"
    write(snapshot / "lost.pdf", "of then")
    write(snapshot / "deep" / "er" / "lost.txt", "too")
    write(snapshot / "kept.txt", "of then")
    write(tmp_path / "kept.txt", "of now")
    write(tmp_path / "later.txt", "later")
    write(tmp_path / ".snapshots" / "2026-11-29T03.00.00.0000000Z" / "older.txt", "another snapshot")
    assert run(tmp_path) == {"restored": 2, "there": 1}
    found = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*") if ".snapshots" not in p.parts
             and p.is_file()}  # fmt: skip
    assert found == {
        "lost.pdf": "of then",
        "deep/er/lost.txt": "too",
        "kept.txt": "of now",
        "later.txt": "later",
    }
    assert run(tmp_path) == {"restored": 0, "there": 3}


def test_half_a_copy_of_an_interrupted_run_is_made_whole(tmp_path: Path) -> None:
    snapshot = tmp_path / ".snapshot" / "2026-11-30T03:00:00.0000000Z"
    write(snapshot / "lost.pdf", "whole")
    write(tmp_path / ".lost.pdf.restoring", "wh")
    assert run(tmp_path) == {"restored": 1, "there": 0}
    assert (tmp_path / "lost.pdf").read_text() == "whole"
    assert not (tmp_path / ".lost.pdf.restoring").exists()


def test_a_snapshot_that_is_not_shown_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path) == {"refused": f"the mount shows no snapshot of {MOMENT}"}
    (tmp_path / ".snapshots").mkdir()
    assert run(tmp_path) == {"refused": f"the mount shows no snapshot of {MOMENT}"}


def test_times_are_compared_to_the_second() -> None:
    assert digits("2026-11-30T03:00:00.1234567Z") == digits("@GMT-2026.11.30-03.00.00") == "20261130030000"
