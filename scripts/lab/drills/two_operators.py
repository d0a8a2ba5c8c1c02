"""Two people deploy the same stack at the same time, each from a checkout of their own."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from scripts.core.workspace import Workspace
from scripts.terraform.errors.diagnose import errors
from scripts.terraform.stack import StackRunner, TerraformError

from .base import Finding, Size
from .recovery import Recovery, recover
from .stage import Stage
from .watched import watched

LOCKED = "Error acquiring the state lock"


def two_operators(stage: Stage, size: Size) -> Iterator[Finding]:
    """Deploy each stack from nothing, twice at once; whoever comes second has to be refused or to find it done."""
    for stack in size.of(stage):

        def both(stack: str = stack) -> Recovery:
            # Slow enough that both are at it at the same time.
            stage.faults({"resource": "*", "effect": "wait", "seconds": 0.3, "stack": stack})
            second, said = _second(stage, stack), list[str]()
            other = threading.Thread(target=_deploy, args=(second, said))
            other.start()
            first = stage.deploy(stack)
            other.join()
            stage.faults()
            recovery = recover(stage, stack, first=first)
            recovery.said += said
            if not any(LOCKED in text for text in recovery.said):
                recovery.unexplained.append("nobody was refused, so that nothing was proven")
            return recovery

        yield watched(stage, stack, both, stack, moment=f"before {stack}")


def _second(stage: Stage, stack: str) -> StackRunner:
    """Return a deployment from another checkout, with the same state and the same cloud."""
    rehearsal = stage.rehearsal
    folder = stage.folder / "second"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(rehearsal.workspace.output, folder / "cdktf.out" / rehearsal.settings.name)
    (folder / "state").symlink_to(Path(stage.folder / "state").resolve())
    workspace = Workspace(rehearsal.settings.name, folder, rehearsal.workspace.variables)
    workspace.logs.mkdir(parents=True, exist_ok=True)
    run = rehearsal.rollout(stack)
    return StackRunner(workspace.stacks()[stack], workspace, run.terraform, run.processes)


def _deploy(runner: StackRunner, said: list[str]) -> None:
    """Plan and apply one stack; what Terraform refuses it with goes into `said`."""
    try:
        runner.plan()
        runner.apply()
    except TerraformError as error:
        said += errors(error.output)
