"""The step between the registry and the cluster: container images of the environment's own."""

import sys
from pathlib import Path

from .console import err
from .errors import OperatorError
from .processes import Processes
from .workspace import ROOT, Workspace

PROGRAM = ROOT / "scripts" / "build_images.py"


def build_images(workspace: Workspace, processes: Processes, program: Path = PROGRAM) -> None:
    """Build and import the images into the environment's registry, where that program exists.

    Raises OperatorError when it fails.
    """
    if not program.exists():
        err.print("Images: none of our own yet, so the cluster takes them from upstream, by pinned tag.")
        return
    err.print("Images: building and importing")
    log_file = workspace.logs / "images.log"
    with log_file.open("w", encoding="utf-8") as log, processes.forwarding_signals():
        result = processes.run(
            [sys.executable, str(program), workspace.environment],
            cwd=ROOT,
            env=workspace.process_environment(),
            log=log,
        )
    if result.status:
        raise OperatorError("the images could not be built", f"read {log_file}, then deploy again")
