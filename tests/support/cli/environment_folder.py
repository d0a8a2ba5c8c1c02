"""Lets everything read and write the environment files of another folder than the repository's.

The folder is the one place that a test changes in a module instead of handing it over: synthesis, checks and commands
look it up where they need a file, deep below what a command is given.
"""

from pathlib import Path

import pytest

from stacks.settings import loading


def use_environments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take environment files, and the lock files beside them, from `folder`."""
    monkeypatch.setattr(loading, "ENVIRONMENTS", folder)
