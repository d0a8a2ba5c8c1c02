"""Tokens from the Azure CLI. They go through pipes and memory only, never through arguments or files."""

import json
import shutil
import subprocess
from typing import Any

_TIMEOUT_S = 120


def present() -> bool:
    """Tell whether the Azure CLI is installed."""
    return shutil.which("az") is not None


def registry_token(name: str) -> str | None:
    """Return a token for the registry `name` (about three hours), or None without the CLI or a login.

    https://learn.microsoft.com/cli/azure/acr#az-acr-login, option --expose-token.
    """
    if not present():
        return None
    answer = _json("acr", "login", "--name", name, "--expose-token")
    token = answer.get("accessToken") if answer else None
    return str(token) if token else None


def _json(*arguments: str) -> dict[str, Any] | None:
    try:
        run = subprocess.run(  # noqa: S603
            ["az", *arguments, "--output", "json"],  # noqa: S607 - the user's own Azure CLI
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        answer = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
