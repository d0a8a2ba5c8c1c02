"""An environment that is deployed once in a run of the tests; who needs the same one goes on from there."""

import hashlib
import shutil
from pathlib import Path

from filelock import FileLock

from scripts.core.tiers import DISPOSABLE, DURABLE
from scripts.lab.rehearsal.drive import Rehearsal

KEPT = ("cloud.db", "vault.db", "state")
"""What Terraform and the fake cloud remember of an environment."""


def deployed_once(rehearsal: Rehearsal, shared: Path) -> None:
    """Deploy every synthesized stack of a rehearsal, or take over how the same ones were deployed before.

    `shared` is the folder of a run for what is deployed. The same ones are those whose configuration has the same
    bytes, but for the folder that they lie in.
    """
    place = shared / _digest(rehearsal)
    shared.mkdir(exist_ok=True)
    with FileLock(f"{place}.lock"):
        if place.exists():
            _copy(place, rehearsal.folder)
            return
        run = rehearsal.rollout()
        assert run.apply(DURABLE, any_loss=False)
        assert run.apply(DISPOSABLE, any_loss=False)
        half = place.with_suffix(".half")
        _copy(rehearsal.folder, half)
        half.rename(place)


def _digest(rehearsal: Rehearsal) -> str:
    found = hashlib.sha256(rehearsal.settings.name.encode())
    for stack in rehearsal.workspace.stacks().values():
        text = (stack.folder / "cdk.tf.json").read_text("utf-8")
        found.update(text.replace(str(rehearsal.folder.resolve()), "").encode())
    return found.hexdigest()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name in KEPT:
        (shutil.copytree if (source / name).is_dir() else shutil.copy2)(source / name, target / name)
