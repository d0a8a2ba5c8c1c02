"""Which release and commit of the platform this checkout is, and which programs it pins."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from scripts.core.workspace import ROOT


def version_text(root: Path = ROOT) -> str:
    """Return two lines: release and commit; the versions of cdktf and of the bindings for Azure."""
    release = next(iter(re.findall(r"^## (\d\S*)", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)), "0")
    unreleased = re.search(r"^## Unreleased\n+- ", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    since = " with unreleased changes" if unreleased else ""
    return f"llmctl {release}{since} ({_commit(root)})\ncdktf {version('cdktf')}, azurerm {_bindings('azurerm')}"


def _bindings(provider: str) -> str:
    return version(f"cdktf-cdktf-provider-{provider}")


def _commit(root: Path) -> str:
    """Return the commit, with `-dirty` where files were changed since; "no commit" outside a git checkout."""
    try:
        shown = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 - the git of the operator
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        )
        return f"commit {shown.stdout.strip()}"
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
