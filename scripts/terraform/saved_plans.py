"""Plans kept in a folder between review and deployment, so that what was reviewed is what is applied.

The folder holds for each stack Terraform's plan and dependency lock, one list of them, and the images' lock file: all
that decides what the plans do. Plan files can hold values that Terraform calls sensitive; the folder is its owner's.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import Workspace
from scripts.review.plan import Changes, Plan, read_plan
from stacks.platform.common.image_lock import lock_file

from .rollout import Rollout
from .stack import TerraformError

INDEX = "plans.json"
_LOCK = ".terraform.lock.hcl"
_FORMAT = 1


def save(run: Rollout, folder: Path) -> None:
    """Write the plans of a run to a folder, which must be new or hold plans made before.

    Raises OperatorError when it holds anything else.
    """
    _require_ours(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    index: dict[str, Any] = {"format": _FORMAT, "environment": run.workspace.environment, "stacks": {}}
    for name in run.stacks:
        entry: dict[str, Any] = {"configuration": configuration_digest(run.stacks[name].folder)}
        if plan := run.plans.get(name):
            entry["effect"] = plan.effect
            if not plan.changes.empty:
                entry["plan"] = _kept(run.runner(name).plan_file, folder / f"{name}.tfplan")
            lock = run.stacks[name].folder / _LOCK
            if lock.exists():
                entry["lock"] = _kept(lock, folder / f"{name}{_LOCK}")
        index["stacks"][name] = entry
    images = lock_file(run.workspace.environment)
    if images.exists():
        index["images"] = _kept(images, folder / "images.lock.json")
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def read_index(folder: Path, environment: str) -> dict[str, Any]:
    """Return the list of the plans in a folder. Raises OperatorError when it is not for this environment."""
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text("utf-8"))
    except (OSError, ValueError):
        raise OperatorError(
            f"{folder} holds no plans", f"`llmctl diff {environment} --out {folder}` makes them", ExitCode.USAGE
        ) from None
    if index.get("format") != _FORMAT:
        raise OperatorError(f"the plans in {folder} have another format", "plan again with this version")
    if index["environment"] != environment:
        raise OperatorError(
            f"the plans in {folder} are for {index['environment']}, not for {environment}", code=ExitCode.REFUSED
        )
    return index


def restore_images(folder: Path, workspace: Workspace) -> None:
    """Bring back the images' lock file that the plans were made with; it decides what is synthesized."""
    index = read_index(folder, workspace.environment)
    if "images" not in index:
        return
    kept, lock = folder / index["images"], lock_file(workspace.environment)
    if not lock.exists() or lock.read_bytes() != kept.read_bytes():
        shutil.copyfile(kept, lock)
        err.print(f"{lock.name}: as the plans were made with", markup=False)


def restore(folder: Path, run: Rollout) -> None:
    """Give the saved plans to a run, which then applies these and no others.

    Raises OperatorError when the configuration has changed since, or a plan cannot be read.
    """
    environment = run.workspace.environment
    index = read_index(folder, environment)
    again = f"plan again with `llmctl diff {environment} --out {folder}`, and have it reviewed"
    entries = {name: index["stacks"].get(name) for name in run.stacks}
    changed = [
        name
        for name, entry in entries.items()
        if entry and entry["configuration"] != configuration_digest(run.stacks[name].folder)
    ]
    if changed:
        raise OperatorError(
            f"{', '.join(changed)}: the configuration is another one than the plans were made for, so nothing was done",
            again,
            ExitCode.REFUSED,
        )
    run.reviewed = True
    for name, entry in entries.items():
        if entry is None or "effect" not in entry:
            continue
        if "lock" in entry:
            shutil.copyfile(folder / entry["lock"], run.stacks[name].folder / _LOCK)
        if "plan" not in entry:
            run.plans[name] = Plan(Changes(), effect=entry["effect"])
            continue
        runner = run.runner(name)
        shutil.copyfile(folder / entry["plan"], runner.plan_file)
        runner.plan_file.chmod(0o600)
        try:
            run.plans[name] = read_plan(runner.read_saved_plan())
        except TerraformError as error:
            run.failures[name] = error


def configuration_digest(folder: Path) -> str:
    """Return a digest over what was synthesized for a stack: its configuration and the files that travel with it."""
    digest = hashlib.sha256()
    files = [folder / "cdk.tf.json", *sorted(path for path in (folder / "assets").rglob("*") if path.is_file())]
    for file in files:
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _kept(source: Path, target: Path) -> str:
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return target.name


def _require_ours(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / INDEX).exists())):
        raise OperatorError(f"{folder} holds something else than plans", "name a new folder", ExitCode.USAGE)
