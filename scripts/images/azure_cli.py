"""Tokens from the Azure CLI. They go through pipes and memory only, never through arguments or files."""

import shutil

from scripts.core.azure import AzureError, az


def present() -> bool:
    """Tell whether the Azure CLI is installed."""
    return shutil.which("az") is not None


def registry_token(name: str) -> str | None:
    """Return a token for the registry `name` (about three hours), or None without the CLI or a login.

    https://learn.microsoft.com/cli/azure/acr#az-acr-login, option --expose-token.
    """
    if not present():
        return None
    try:
        token = az("acr", "login", "--name", name, "--expose-token").get("accessToken")
    except AzureError:
        return None
    return str(token) if token else None
