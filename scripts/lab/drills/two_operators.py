"""Two people deploy the same stack at the same time, each from a checkout of their own."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from scripts.core.workspace import Workspace
from scripts.terraform.rollout import Rollout

from .base import Finding, Size
from .killed import QUICK
from .stage import Recovery, Stage
from .watched import watched


def two_operators(stage: Stage, size: Size) -> Iterator[Finding]:
    """Deploy each stack from nothing, twice at once; whoever comes second has to be refused or to find it done."""
    for stack in stage.stacks:
        if not size.everything and stack not in QUICK:
            continue

        def both(stack: str = stack) -> Recovery:
            # Slow enough that both are at it at the same time.
            stage.faults({"resource": "*", "effect": "wait", "seconds": 0.3, "stack": stack})
            second = _second(stage, stack)
            other = threading.Thread(target=_deploy, args=(second,))
            other.start()
            first = stage.deploy(stack)
            other.join()
            stage.faults()
            return stage.recover(stack, first=first)

        yield watched(stage, stack, both, stack, moment=f"before {stack}")


def _second(stage: Stage, stack: str) -> Rollout:
    """Return a deployment from another checkout, with the same state and the same cloud."""
    rehearsal = stage.rehearsal
    folder = stage.folder / "second"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(rehearsal.workspace.output, folder / "cdktf.out" / rehearsal.settings.name)
    (folder / "state").symlink_to(Path(stage.folder / "state").resolve())
    workspace = Workspace(rehearsal.settings.name, folder, rehearsal.workspace.variables)
    workspace.logs.mkdir(parents=True, exist_ok=True)
    run = rehearsal.rollout(stack)
    return Rollout(workspace, {stack: workspace.stacks()[stack]}, run.terraform, run.processes)


def _deploy(run: Rollout) -> None:
    run.plan()
    if not run.failures:
        run.apply(list(run.stacks), any_loss=False)
    run.discard_plans()
