"""Plays mutations in a work tree of its own, so that a killed run leaves no mistake behind in the checkout."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.core.workspace import ROOT
from scripts.gates.source_checks import FAST

from .catalogue import Mutation

LINKED = (".venv", "node_modules")
"""Installed packages of the checkout, which the work tree shares."""

NOT_COUNTED = ("tests/test_snapshots.py", "tests/lab/test_lab_mutation.py")
"""Tests that fail after any change of an output, or of a mutated line: what they say is no promise."""


@dataclass(frozen=True)
class Verdict:
    """Whether a mutation was noticed; `output` is the end of what the tests printed."""

    mutation: Mutation
    noticed: bool
    output: str


@contextmanager
def work_tree() -> Iterator[Path]:
    """Yield a folder with the committed tree, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as base:
        folder = Path(base) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(folder), "HEAD")
        try:
            for name in LINKED:
                (folder / name).symlink_to(ROOT / name)
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def play(mutation: Mutation, folder: Path, *, everything: bool) -> Verdict:
    """Return whether the tests that a mutation names notice it in `folder`, or with `everything` any fast test.

    Raises StaleMutationError when the mutation no longer fits, RuntimeError when the tests could not be run at all.
    """
    file = folder / mutation.file
    original = file.read_text("utf-8")
    file.write_text(mutation.mutated(original), "utf-8")
    try:
        status, output = run_tests(folder, () if everything else mutation.noticed_by)
    finally:
        file.write_text(original, "utf-8")
    # 2: a module that cannot be imported any more is noticed as well.
    if status not in {0, 1, 2}:
        raise RuntimeError(f"{mutation.name}: pytest ended with {status}\n{output}")
    return Verdict(mutation, status != 0, output)


def run_tests(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests of a work tree up to the first failure; return pytest's exit status and the end of its output."""
    ignored = [f"--ignore={name}" for name in NOT_COUNTED]
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *ignored, *(tests or ("-m", FAST))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, "\n".join((done.stdout + done.stderr).splitlines()[-15:])


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True)  # noqa: S603, S607
