"""What git knows of a checkout: commits, and files as they were in one."""

import subprocess
from pathlib import Path


def known(commit: str, root: Path) -> bool:
    """Whether git knows the commit; HEAD, the default, may be missing: a checkout without git is checked by itself."""
    try:
        asked = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"]
        return subprocess.run(asked, cwd=root, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def committed(path: str, root: Path, commit: str) -> str | None:
    """Return the text of a file in a commit; None without git, without the commit or without the file in it."""
    try:
        shown = subprocess.run(  # noqa: S603
            ["git", "show", "--end-of-options", f"{commit}:./{path}"],  # noqa: S607 - the git of the operator
            cwd=root,
            capture_output=True,
            check=True,
        )
        return shown.stdout.decode()
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None
