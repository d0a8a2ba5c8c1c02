"""Logins of registries, from where container tools keep them, or from the Azure CLI; never from arguments."""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.images import azure_cli

from .references import DOCKER_HUB

ACR_TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - the user name that ACR defines for tokens
_HUB_KEY = "https://index.docker.io/v1/"
_HELPER_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of a registry; the password never shows in text."""

    user: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the value of a basic `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find_login(registry: str) -> Login | None:
    """Return the login that this machine has for `registry`, or None.

    Looked up in `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG`, `~/.docker` and the files of podman, credential helpers
    included; for an Azure registry without one, the Azure CLI gives a token.
    """
    for path in _files():
        login = _from_file(path, registry)
        if login:
            return login
    if registry.endswith(".azurecr.io"):
        token = azure_cli.registry_token(registry.removesuffix(".azurecr.io"))
        return Login(ACR_TOKEN_USER, token) if token else None
    return None


@contextmanager
def auth_file(logins: Mapping[str, Login]) -> Iterator[Path]:
    """Yield a `config.json` that only this user can read: the user's own settings, and logins by registry.

    Programs started meanwhile take it through `DOCKER_CONFIG` (its folder) or `REGISTRY_AUTH_FILE`; it vanishes
    afterwards.
    """
    settings = _read(_docker_folder() / "config.json")
    settings.setdefault("cliPluginsExtraDirs", [str(_docker_folder() / "cli-plugins")])
    settings["auths"] = dict(settings.get("auths", {}))
    for registry, login in logins.items():
        key = _HUB_KEY if registry == DOCKER_HUB else registry
        settings["auths"][key] = {"auth": login.basic().removeprefix("Basic ")}
        settings.get("credHelpers", {}).pop(key, None)
    if logins:
        # A credential store hides every entry of the file.
        settings.pop("credsStore", None)
    with tempfile.TemporaryDirectory(prefix="llmctl-") as folder:
        path = Path(folder) / "config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings), "utf-8")
        yield path


def _docker_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _files() -> Iterator[Path]:
    if explicit := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(explicit)
    yield _docker_folder() / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield Path.home() / ".config" / "containers" / "auth.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _from_file(path: Path, registry: str) -> Login | None:
    settings = _read(path)
    keys = (registry, f"https://{registry}", *((_HUB_KEY,) if registry == DOCKER_HUB else ()))
    for key in keys:
        helper = settings.get("credHelpers", {}).get(key)
        if helper and (login := _from_helper(helper, key)):
            return login
        entry = settings.get("auths", {}).get(key, {})
        if entry.get("auth"):
            user, _, password = base64.b64decode(entry["auth"]).decode("utf-8", "replace").partition(":")
            return Login(user, password)
        if key in settings.get("auths", {}) and (store := settings.get("credsStore")):
            return _from_helper(store, key)
    return None


def _from_helper(helper: str, key: str) -> Login | None:
    """Ask a credential helper (https://docs.docker.com/reference/cli/docker/login/#credential-helpers)."""
    try:
        answer = subprocess.run(  # noqa: S603 - named in the user's own configuration
            [f"docker-credential-{helper}", "get"],
            input=key,
            capture_output=True,
            text=True,
            timeout=_HELPER_TIMEOUT_S,
            check=True,
        )
        content = json.loads(answer.stdout)
        return Login(content["Username"], content["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
