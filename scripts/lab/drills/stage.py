"""An environment in a rehearsal folder that drills break, bring back and compare; reset between them."""

import copy
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from main import build_app
from scripts.core import environment_file
from scripts.core.errors import OperatorError
from scripts.core.schedule import Outcome
from scripts.core.tiers import STACKS
from scripts.lab import rehearsal
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings
from stacks.settings.azure import StateSettings

FAULTS = "faults.yaml"
WHOLE = "whole"
"""The moment at which every stack is deployed."""
_RESET = ("cloud.db", "vault.db", "state", "environments")
_SYNTHESIZED = "synthesized.yaml"
"""The environment file that the stacks in a folder were made from."""
_BUILT = "built.json"
_REHEARSES = Path(rehearsal.__file__).parent


Adopt = Callable[["Stage", str], Collection[str]]
"""Types `llmctl state adopt` for a stack, and returns the addresses of what it has imported. Raises OperatorError."""


class Stage:
    """The environment, and the moment to which `reset` goes back."""

    def __init__(self, rehearsal: Rehearsal, stacks: Sequence[str] = STACKS, *, adopt: Adopt, text: str = "") -> None:
        """Begin with nothing deployed; `text` is the environment's file, the project's own where it is left out."""
        self.rehearsal = rehearsal
        self.stacks = tuple(stacks)
        self.adopt = adopt
        name = rehearsal.settings.name
        self.file = self.folder / "environments" / f"{name}.yaml"
        """The environment's file, which commands change."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text or environment_file.file_of(name).read_text("utf-8"), "utf-8")
        self.writes: dict[str, int] = {}
        """How many resources a stack has that are made one by one."""
        self.told_apart: dict[str, int] = {}
        """How many of them a fault of each strikes: resources with the same arguments are one to the fake providers."""
        self._kept = rehearsal.folder / "stage"

    @property
    def folder(self) -> Path:
        """The rehearsal folder."""
        return self.rehearsal.folder

    def cloud(self) -> Cloud:
        """Return the fake cloud as it is now."""
        return Cloud(self.folder)

    @property
    def settings(self) -> Settings:
        """What the environment's file says now, with the state in the rehearsal's folder."""
        found = environment_file.parsed(self.rehearsal.settings.name, self.file.read_text("utf-8"))
        return found.model_copy(update={"state": StateSettings()})

    def synthesize(self) -> None:
        """Synthesize what the environment's file says, unless that was done."""
        text, output = self.file.read_text("utf-8"), self.rehearsal.workspace.output
        done = output / _SYNTHESIZED
        if done.exists() and done.read_text("utf-8") == text:
            return
        done.unlink(missing_ok=True)
        output.mkdir(parents=True, exist_ok=True)
        build_app(self.settings, output).synth()
        done.write_text(text, "utf-8")

    def only(self, *stacks: str) -> "Stage":
        """Return this stage with some of its stacks alone: commands and comparisons leave the others out."""
        found = copy.copy(self)
        found.stacks = tuple(stack for stack in self.stacks if stack in stacks)
        return found

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Do what `scripts.terraform.prepare.rollout` does, in this folder."""
        self.synthesize()
        run = self.rehearsal.rollout(*job.targets.stacks, destroy=job.destroy)
        try:
            yield run
        finally:
            run.discard_plans()

    def build(self) -> None:
        """Deploy stack by stack, and remember the moment before each. Raises OperatorError when one fails."""
        for stack in self.stacks:
            self.remember(f"before {stack}")
            run = self.deploy(stack)
            if not done(run):
                raise OperatorError(f"{stack} cannot be deployed, so nothing can be drilled")
            made = [it for it in self.cloud().journal() if it.stack == stack and it.operation == "create"]
            self.writes[stack], self.told_apart[stack] = len(made), len({it.address for it in made})
        self.remember(WHOLE)
        built = {"of": self._made_of(), "writes": self.writes, "told_apart": self.told_apart}
        (self._kept / _BUILT).write_text(json.dumps(built), "utf-8")

    def resume(self) -> bool:
        """Take what an earlier process has built in this folder; tell whether it is what would be built now."""
        self.synthesize()
        try:
            built = json.loads((self._kept / _BUILT).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        if built["of"] != self._made_of():
            return False
        self.writes, self.told_apart = built["writes"], built["told_apart"]
        self.reset(WHOLE)
        return True

    def _made_of(self) -> str:
        """Return a digest of the stacks and of what rehearses them."""
        found = hashlib.sha256(self.file.read_bytes())
        known = self.rehearsal.workspace.stacks()
        synthesized = [known[stack].folder / "cdk.tf.json" for stack in self.stacks]
        for file in (*synthesized, *sorted(_REHEARSES.rglob("*.py"))):
            found.update(file.read_bytes())
        return found.hexdigest()

    def remember(self, moment: str) -> None:
        """Keep this moment under a name, for `reset`."""
        kept = self._kept / moment
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for name in _RESET:
            self._copy(self.folder / name, kept / name)

    def reset(self, moment: str) -> None:
        """Go back to a moment that was remembered."""
        self.faults()
        for name in _RESET:
            target = self.folder / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
            self._copy(self._kept / moment / name, target)

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy2(source, target)

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Let these errors happen from now on, and none that happened before."""
        path = self.folder / FAULTS
        if faults:
            path.write_text(json.dumps(list(faults)), "utf-8")
        else:
            path.unlink(missing_ok=True)

    def deploy(self, *stacks: str) -> Rollout:
        """Deploy as `llmctl deploy --yes` does: everything planned, then applied where the plan loses nothing."""
        self.synthesize()
        run = self.rehearsal.rollout(*(stacks or self.stacks))
        run.plan()
        if not run.failures:
            run.apply(list(run.stacks), any_loss=False)
        run.discard_plans()
        return run

    def destroy(self, *stacks: str) -> None:
        """Destroy as `llmctl destroy` does once somebody has agreed. Raises OperatorError."""
        self.synthesize()
        run = self.rehearsal.rollout(*stacks, destroy=True)
        run.plan()
        if run.failures or not run.apply(list(run.stacks), any_loss=True):
            raise OperatorError(f"{', '.join(stacks)} cannot be destroyed")
        run.discard_plans()

    def has(self, stack: str, resource: str) -> bool:
        """Tell whether a stack has resources of a type, or of a pattern of types."""
        content = json.loads((self.rehearsal.workspace.stacks()[stack].folder / "cdk.tf.json").read_text("utf-8"))
        return any(fnmatchcase(type_, resource) for type_ in content.get("resource", {}))


def done(run: Rollout) -> bool:
    """Tell whether a deployment has done everything."""
    return set(run.reports) == set(run.stacks) and all(
        report.outcome == Outcome.DONE for report in run.reports.values()
    )
