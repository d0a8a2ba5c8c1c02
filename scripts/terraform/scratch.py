"""A copy of one stack with a state of its own, in which something is made or imported before the real state has it.

The real state is pulled and pushed whole, once, when everything in the copy has gone well. Until then it stays as it
is, so that an interruption at any point leaves the stack as it was.
"""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scripts.core.workspace import Stack

from .stack import StackRunner
from .state.cut_off import cut_state

State = dict[str, Any]
_STATE = "terraform.tfstate"
_OF_A_RUN = shutil.ignore_patterns(".terraform", "*.tfplan", "*.tfstate", "*.tfstate.*")
EMPTY: State = {"version": 4, "terraform_version": "1.11.0", "serial": 0, "lineage": "", "outputs": {}, "resources": []}


@dataclass(frozen=True)
class Scratch:
    """The copy of one stack: `runner` runs Terraform in it, `real` where the environment keeps its state."""

    runner: StackRunner
    real: StackRunner
    moved: Callable[[str], bool] | None
    """Tells by its type what the copy makes anew, and `switch` brings over; everything else stays the real state's.
    Without, the copy begins with the whole real state, and `switch` brings over everything."""
    base: State = field(default_factory=lambda: EMPTY)
    """The real state when the copy was made."""

    @classmethod
    def of(cls, real: StackRunner, name: str, purpose: str, moved: Callable[[str], bool] | None = None) -> "Scratch":
        """Copy the stack as it is synthesized now, with the real state less what is `moved`.

        What an earlier run for the same `purpose` has made in it is kept. Raises TerraformError.
        """
        folder = _folder(real, name)
        begin(real, name, purpose)
        kept = _left(folder / _STATE)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(real.stack.folder, folder, ignore=_OF_A_RUN)
        content = json.loads((folder / "cdk.tf.json").read_text("utf-8"))
        content["terraform"].pop("cloud", None)
        content["terraform"]["backend"] = {"local": {"path": _STATE}}
        (folder / "cdk.tf.json").write_text(json.dumps(content), "utf-8")
        file = folder / _STATE
        file.touch(mode=0o600)
        stack = Stack(real.stack.name, folder, real.stack.dependencies, real.stack.read_states)
        found = cls(replace(real, stack=stack), real, moved)
        base = real.pull() or {**EMPTY, "lineage": kept["lineage"] or str(uuid.uuid4())}
        file.write_text(json.dumps(found._joined(base, kept)), "utf-8")
        return replace(found, base=base)

    @property
    def made(self) -> State:
        """The copy's state as it is now."""
        return _read(self.runner.stack.folder / _STATE)

    def switch(self) -> None:
        """Make what was moved, and the outputs, part of the real state in one write. Raises TerraformError."""
        made = self.made
        now = self.real.pull() or {**EMPTY, "lineage": made["lineage"]}
        joined = {**self._joined(now, made), "outputs": made["outputs"], "serial": now["serial"] + 1}
        other = joined["resources"] != now["resources"] or joined["outputs"] != now["outputs"]
        if other or cut_state(self.real.stack.folder):
            self.real.push({**joined, "terraform_version": made["terraform_version"]})

    def amend(self, change: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
        """Change attributes in the copy's state; `change` gets address and attributes of each resource."""
        file = self.runner.stack.folder / _STATE
        state = _read(file)
        for address, instance in managed(state):
            instance["attributes"] = change(address, instance["attributes"])
        state["serial"] += 1
        file.write_text(json.dumps(state), "utf-8")

    def _joined(self, base: State, other: State) -> State:
        """Return `base` with what is moved from `other` in the place of its own."""
        if self.moved is None:
            return (
                {**base, "resources": other["resources"], "outputs": other["outputs"]} if other["resources"] else base
            )
        stays = [found for found in base["resources"] if not self.moved(found["type"])]
        comes = [found for found in other["resources"] if self.moved(found["type"])]
        return {**base, "resources": [*stays, *comes]}


def managed(state: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield address and instance of each managed resource in a state."""
    for resource in state["resources"]:
        if resource["mode"] != "managed":
            continue
        for instance in resource["instances"]:
            key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            yield f"{resource['type']}.{resource['name']}{key}", instance


def begin(real: StackRunner, name: str, purpose: str) -> None:
    """Note what a copy is going to be made for, so that an interrupted run is known to have begun.

    What is left of a copy for something else is removed before.
    """
    if purpose_of(real, name) != purpose:
        discard(real, name)
    file = _purpose_file(real, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(purpose, "utf-8")


def purpose_of(real: StackRunner, name: str) -> str | None:
    """Return what the copy of that name was, or was going to be, made for; None where there is none."""
    try:
        return _purpose_file(real, name).read_text("utf-8")
    except FileNotFoundError:
        return None


def discard(real: StackRunner, name: str) -> None:
    """Remove the copy of that name, if there is one."""
    shutil.rmtree(_folder(real, name), ignore_errors=True)
    _purpose_file(real, name).unlink(missing_ok=True)


def _purpose_file(real: StackRunner, name: str) -> Path:
    return _folder(real, name).with_suffix(".purpose")


def _folder(real: StackRunner, name: str) -> Path:
    # As deep as the stack's own, so that the relative paths of local states lead to the same files.
    output = real.workspace.output
    return output.with_name(f"{output.name}.{name}") / "stacks" / real.stack.name


def _left(file: Path) -> State:
    """Return the state that an earlier run has left, an empty one where it was stopped before it wrote one."""
    try:
        return _read(file)
    except (FileNotFoundError, ValueError):
        return EMPTY


def _read(file: Path) -> State:
    found: State = json.loads(file.read_text("utf-8"))
    return found
