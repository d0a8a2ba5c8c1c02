"""Kills a program of ours at a chosen call of Terraform, with SIGKILL, as a power failure would."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_SHIM = """#!/bin/sh
[ "$1" = version ] && exec terraform "$@"
number=$(($(cat "$KILL_FOLDER/count" 2>/dev/null || echo 0) + 1))
echo "$number" > "$KILL_FOLDER/count"
[ "$number $KILL_WHEN" = "$KILL_AT before" ] && kill -9 "$PPID" && exit 1
terraform "$@"
status=$?
[ "$number $KILL_WHEN" = "$KILL_AT after" ] && kill -9 "$PPID"
exit "$status"
"""


class Killing:
    """Runs `python -c PROGRAM` and kills it before or after its n-th call of Terraform."""

    def __init__(self, folder: Path, program: str, *arguments: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._command = [sys.executable, "-c", program, *arguments]
        shim = folder / "terraform-that-kills"
        shim.write_text(_SHIM)
        shim.chmod(0o755)
        self._shim = shim

    def run(self, at: int = 0, when: str = "before") -> bool:
        """Run it once; return whether it was killed. Asserts that it succeeds where it was not. 0 never kills."""
        (self._folder / "count").unlink(missing_ok=True)
        variables = {
            "TERRAFORM_BINARY_NAME": str(self._shim),
            "KILL_FOLDER": str(self._folder),
            "KILL_AT": str(at),
            "KILL_WHEN": when,
        }
        done = subprocess.run(
            self._command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        return done.returncode != 0

    @property
    def calls(self) -> int:
        """How often the last run called Terraform."""
        return int((self._folder / "count").read_text())
