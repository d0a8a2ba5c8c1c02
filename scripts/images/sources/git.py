"""Runs git without prompts, hooks of the caller's environment, or changes to anybody's working copy."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError

_TIMEOUT_S = 1800


class GitError(OperatorError):
    """git failed; the message ends with its own last line."""


def git(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run git in `cwd` and return what it printed. Raises GitError."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    options = ("-c", "core.autocrlf=false", "-c", "core.excludesFile=", "-c", "core.hooksPath=/dev/null",
               "-c", "gc.auto=0", "-c", "advice.detachedHead=false")  # fmt: skip
    try:
        run = subprocess.run(  # noqa: S603
            ["git", *options, *arguments],  # noqa: S607 - the user's own git
            cwd=cwd,
            env={**clean, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed", "install git", ExitCode.NOT_READY) from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} took more than {_TIMEOUT_S // 60} minutes") from None
    if run.returncode != 0:
        # git repeats the address, which may carry a token.
        last = (run.stderr.strip() or "no message").splitlines()[-1]
        raise GitError(f"git {arguments[0]} failed: {without_login(last)}")
    return run.stdout


def without_login(text: str) -> str:
    """Return `text` without user names and passwords in its URLs."""
    return re.sub(r"://[^/@\s]+@", "://", text)
