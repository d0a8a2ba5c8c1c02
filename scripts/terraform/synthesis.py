"""Runs the application, which writes the Terraform files of an environment."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.workspace import CHARTS_MISSING, ROOT, Workspace

_WARNING = "Warning: "


def synthesize(
    workspace: Workspace, processes: Processes, program: Path = ROOT / "main.py", arguments: Sequence[str] = ()
) -> list[str]:
    """Write the stacks of the environment to the workspace and return the warnings they carry.

    Folders of stacks that exist no more are removed, as cdktf does. Raises OperatorError when the application fails.
    """
    workspace.logs.mkdir(parents=True, exist_ok=True)
    log_file = workspace.logs / "synth.log"
    with log_file.open("w", encoding="utf-8") as log:
        command = [sys.executable, str(program), *arguments]
        result = processes.run(command, cwd=ROOT, env=workspace.process_environment(), log=log)
    if result.status:
        lines = [line for line in result.output.splitlines() if line.strip()]
        code = ExitCode.SETTINGS if result.status == ExitCode.SETTINGS else ExitCode.FAILED
        said = lines[-1] if lines else "no output"
        raise OperatorError(f"synthesis failed: {said}", f"the whole output is in {log_file}", code)
    manifest = json.loads((workspace.output / "manifest.json").read_text(encoding="utf-8"))
    for folder in (workspace.output / "stacks").iterdir():
        if folder.name in manifest["stacks"]:
            continue
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink()
    return [
        *(
            line.removeprefix(_WARNING)
            for line in result.output.splitlines()
            if line.startswith(f"{_WARNING}{CHARTS_MISSING}")
        ),
        *(
            f"{name}: {note['message']}"
            for name, entry in manifest["stacks"].items()
            for note in entry.get("annotations", [])
        ),
    ]
