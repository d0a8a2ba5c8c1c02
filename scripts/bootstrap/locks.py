"""Locks the tool chain again, without naming where packages are fetched from: that is each machine's own business."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .install import PIPENV_REQUIREMENTS, clean_environment, npm_command, pipenv_command
from .problems import NotReadyError
from .steps import Steps
from .toolchain import Toolchain

OLDEST_PYTHON = (3, 11)
"""The lock is made with this one: what it takes runs on newer ones too, not the other way round."""

_HEADER = "# Pipenv and what it needs, to install the packages of Pipfile.lock. Written by scripts/update-locks."


def update(root: Path) -> None:
    """Lock Python packages from the Pipfile, Node packages from package.json, and what the pinned Pipenv needs.

    Raises NotReadyError when this is not the oldest supported Python, an index cannot be reached, or nothing
    satisfies the constraints.
    """
    if sys.version_info[:2] != OLDEST_PYTHON:
        this, oldest = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST_PYTHON))
        raise NotReadyError(
            f"a lock made with Python {this} may not serve {oldest}",
            f"run `python{oldest} scripts/llmctl setup --rebuild` and lock again",
        )
    tools = Toolchain(root)
    steps = Steps(root / ".cache" / "logs" / "locks.log")
    environment = clean_environment(os.environ) | {
        "PIPENV_PIPFILE": str(root / "Pipfile"),
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_NOSPIN": "1",
    }
    steps.run("Pipfile.lock", [*pipenv_command(steps, root / ".cache"), "lock"], cwd=root, env=environment)
    _rewrite(root / "Pipfile.lock", without_sources, indent=4)
    npm, npm_environment = npm_command(tools)
    locking = [*npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    steps.run("package-lock.json", locking, cwd=root, env=npm_environment)
    _rewrite(root / "package-lock.json", without_addresses, indent=2)
    PIPENV_REQUIREMENTS.write_text(_locked_pipenv(tools), encoding="utf-8")


def without_sources(lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Pipfile.lock that names no index."""
    found = {name: dict(section) for name, section in lock.items()}
    found["_meta"]["sources"] = []
    for part in ("default", "develop"):
        found[part] = {
            name: {key: value for key, value in entry.items() if key != "index"} for name, entry in lock[part].items()
        }
    return found


def without_addresses(lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return a package-lock.json that names no registry."""
    packages = {
        name: {key: value for key, value in entry.items() if key != "resolved"}
        for name, entry in lock["packages"].items()
    }
    return {**lock, "packages": packages}


def requirements(report: Mapping[str, Any]) -> list[str]:
    """Return pip's installation report as pinned requirements with hashes."""
    lines = []
    for entry in report["install"]:
        name, version = entry["metadata"]["name"], entry["metadata"]["version"]
        lines.append(f"{name}=={version} --hash=sha256:{entry['download_info']['archive_info']['hashes']['sha256']}")
    return sorted(lines)


def pinned(lines: Sequence[str], name: str) -> str:
    """Return the requirement of `name` without its hash."""
    return next(line.split()[0] for line in lines if line.startswith(f"{name}=="))


def _locked_pipenv(tools: Toolchain) -> str:
    requirement = pinned(PIPENV_REQUIREMENTS.read_text(encoding="utf-8").splitlines(), "pipenv")
    # In an empty environment, so that nothing counts as installed already.
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(tools.python), "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        done = subprocess.run(  # noqa: S603 - our own arguments
            [*command, "--report", str(report), requirement],
            env=clean_environment(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotReadyError(f"{requirement} cannot be resolved: {done.stderr.strip()[-200:]}", "check the network")
        lines = requirements(json.loads(report.read_text(encoding="utf-8")))
    return "\n".join([_HEADER, *lines]) + "\n"


def _rewrite(path: Path, change: Any, *, indent: int) -> None:
    content = change(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        update(Path.cwd())
    except NotReadyError as error:
        sys.exit(f"update-locks: {error}")
