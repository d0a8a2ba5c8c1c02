"""Which release and commit of the platform this checkout is, and which programs it pins."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from scripts.core.workspace import ROOT


def version_text(root: Path = ROOT) -> str:
    """Return two lines: release and commit; the versions of cdktf and of the bindings for Azure."""
    known = commit(root)
    shown = f"commit {known}" if known else "no commit"
    return f"llmctl {release(root)} ({shown})\ncdktf {version('cdktf')}, azurerm {_bindings('azurerm')}"


def release(root: Path = ROOT) -> str:
    """Return the release that the checkout is, and whether it holds what is in none yet."""
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    newest = next(iter(re.findall(r"^## (\d\S*)", changes, re.MULTILINE)), "0")
    unreleased = re.search(r"^## Unreleased\n+- ", changes, re.MULTILINE)
    return f"{newest} with unreleased changes" if unreleased else newest


def _bindings(provider: str) -> str:
    return version(f"cdktf-cdktf-provider-{provider}")


def commit(root: Path = ROOT) -> str:
    """Return the commit, with `-dirty` where files were changed since; empty outside a git checkout."""
    try:
        shown = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 - the git of the operator
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        )
        return shown.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
