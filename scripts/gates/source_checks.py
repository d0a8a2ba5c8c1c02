"""The checks of `scripts/check`, and running them side by side."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.core.workspace import ROOT

FAST = "not programs and not rehearsal and not policy and not slow and not images and not live and not cluster"
"""pytest's marker expression for the fast set: what runs in Python, cdktf's Node and a shell alone."""


def shared_out(processes: int | None = None) -> tuple[str, ...]:
    """Return pytest's arguments that share test modules out over `processes`.

    By default there is one for each processor and one more, which works while others wait for their programs.

    A module stays whole, because its tests may share what the first of them deployed. Modules are taken in the order of
    collection, of which `tests/support/longest_first.py` puts the long ones first. 0 runs all in one process.
    """
    processes = (os.cpu_count() or 1) + 1 if processes is None else processes
    return ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder") if processes else ()


def live_shared_out(processes: int | None = None) -> tuple[str, ...]:
    """Return pytest's arguments that share the live modules out over `processes`, two by default.

    Modules that ask the same programs stay together (`tests/support/kept_together.py`); there are two large groups.
    """
    processes = min(os.cpu_count() or 1, 2) if processes is None else processes
    return ("-n", str(processes), "--dist", "loadgroup", "--no-loadscope-reorder") if processes else ()


@dataclass(frozen=True)
class Check:
    """One program that checks the sources."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a check said."""

    check: Check
    passed: bool
    output: str
    seconds: float


def static_checks(*, fix: bool = False) -> list[Check]:
    """Return the checks that run nothing of the project; `fix` lets ruff put right what it can."""
    python = sys.executable
    fixing = ("--fix",) if fix else ()
    return [
        Check("ruff", (python, "-m", "ruff", "check", "--quiet", *fixing, ".")),
        Check("ruff format", (python, "-m", "ruff", "format", "--quiet", *(() if fix else ("--check",)), ".")),
        Check("mypy", (python, "-m", "mypy")),
        # SC2148: a script that a program embeds names no shell.
        Check("shellcheck", (str(Path(python).with_name("shellcheck")), "--exclude=SC2148", *shell_scripts())),
        *workflow_checks(),
        Check("secrets", (python, "-m", "scripts.cli", "policy", "secrets")),
        Check("licences", (python, "-m", "scripts.cli", "policy", "licences")),
    ]


def workflow_checks() -> list[Check]:
    """Return what checks the workflows; actionlint only where it is installed, which .ci/run sees to."""
    programs = Path(sys.executable).parent
    found = [Check("zizmor", (str(programs / "zizmor"), "--offline", "--no-progress", "--quiet", ".github"))]
    if actionlint := shutil.which("actionlint"):
        found.append(Check("actionlint", (actionlint, f"-shellcheck={programs / 'shellcheck'}", "-pyflakes=")))
    return found


def fast_tests() -> Check:
    """Return the fast set."""
    return Check("pytest", (sys.executable, "-m", "pytest", "-m", FAST, *shared_out()))


def shell_scripts() -> list[str]:
    """Return the tracked shell scripts, found by their first line."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix == ".sh" or (not path.suffix and path.is_file()):
            with path.open("rb") as file:
                first = file.readline()
            if path.suffix == ".sh" or (first.startswith(b"#!") and b"sh" in first.split(b"/")[-1].split()[-1]):
                found.append(name)
    return found


def run_checks(checks: Sequence[Check], report: Callable[[Verdict], None]) -> bool:
    """Run all checks at once, hand each verdict over as it comes, and return whether all passed."""
    lock = threading.Lock()

    def run(check: Check) -> bool:
        started = time.monotonic()
        done = subprocess.run(check.command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        verdict = Verdict(check, done.returncode == 0, done.stdout + done.stderr, time.monotonic() - started)
        with lock:
            report(verdict)
        return verdict.passed

    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        return all(list(pool.map(run, checks)))
