"""Lets everything read and write the environment files of another folder than the repository's.

The folder is the one place that a test changes in a module instead of handing it over: synthesis, checks and commands
look it up where they need a file, deep below what a command is given.
"""

import shutil
from pathlib import Path

import pytest

from scripts.core.workspace import ROOT
from stacks.settings.file import loading


def use_environments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take environment files, and the lock files beside them, from `folder`."""
    monkeypatch.setattr(loading, "ENVIRONMENTS", folder)


def copy_environments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take environment files from `folder`, which gets copies of the repository's and no lock file."""
    for file in (ROOT / "environments").glob("*.yaml"):
        shutil.copy(file, folder)
    use_environments(folder, monkeypatch)
