"""Logins as `az acr login`, Docker's stores and its contexts leave them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import OperatorError
from scripts.images.builders.choice import choose
from scripts.images.registry.credentials import Login, auth_file, find_login
from scripts.images.verification import require_cosign

ZERO_USER = "00000000-0000-0000-0000-000000000000"
OWN = "llmdevabcde.azurecr.io"
STALE = "a-token-of-this-morning"
FRESH = "a-token-of-now"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is home, Docker's configuration and the only place of programs besides the system's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def config(folder: Path, settings: dict[str, Any], name: str = "config.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(settings))
    return path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def logged_in(token: str = STALE) -> dict[str, Any]:
    """Return what `az acr login` makes docker write: the zero user, no password, and a token beside it."""
    auth = base64.b64encode(f"{ZERO_USER}:".encode()).decode()
    return {"auths": {OWN: {"auth": auth, "identitytoken": token}}}


def test_the_identity_token_that_az_acr_login_leaves_is_the_zero_users_password(machine: Path) -> None:
    config(machine, logged_in())
    assert find_login(OWN) == Login(ZERO_USER, STALE)


def test_a_store_that_answers_with_a_token_is_understood(machine: Path) -> None:
    program(machine, "docker-credential-desktop", f'echo \'{{"Username": "<token>", "Secret": "{STALE}"}}\'')
    config(machine, {"credsStore": "desktop", "auths": {OWN: {}}})
    assert find_login(OWN) == Login(ZERO_USER, STALE)


def test_the_own_registry_takes_a_new_token_before_one_that_is_over(machine: Path) -> None:
    config(machine, logged_in())
    program(machine, "az", f'echo \'{{"accessToken": "{FRESH}"}}\'')
    assert find_login(OWN) == Login(ZERO_USER, FRESH)


def test_without_an_azure_login_the_files_are_taken(machine: Path) -> None:
    config(machine, logged_in())
    program(machine, "az", "echo 'ERROR: Please run az login' >&2; exit 1")
    assert find_login(OWN) == Login(ZERO_USER, STALE)


def test_a_file_that_somebody_named_goes_before_everything(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(b"robot:password").decode()
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(config(machine, {"auths": {OWN: {"auth": auth}}}, "robot.json")))
    program(machine, "az", f'echo \'{{"accessToken": "{FRESH}"}}\'')
    assert find_login(OWN) == Login("robot", "password")


def test_an_identity_token_of_another_kind_of_registry_is_no_password(machine: Path) -> None:
    config(machine, {"auths": {"registry.example.com": {"auth": "dXNlcjo=", "identitytoken": STALE}}})
    assert find_login("registry.example.com") is None


def test_the_engine_that_dockers_context_names_is_found_with_the_new_configuration(machine: Path) -> None:
    """Docker Desktop, colima and rootless describe their engine in contexts/, beside the file."""
    meta = machine / "contexts" / "meta" / "abc"
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Name": "colima"}')
    config(machine, {"currentContext": "colima"})
    with auth_file({OWN: Login(ZERO_USER, FRESH)}) as file:
        assert json.loads(file.read_text())["currentContext"] == "colima"
        assert (file.parent / "contexts" / "meta" / "abc" / "meta.json").read_text() == '{"Name": "colima"}'
    assert (meta / "meta.json").exists(), "only the link goes"


def test_docker_is_probed_as_it_will_build(machine: Path) -> None:
    program(machine, "docker", f'echo "$1 $DOCKER_CONFIG $BUILDX_CONFIG" >> {machine}/asked; echo 28')
    assert choose("buildx", OWN).name == "buildx"
    asked = [line.split() for line in (machine / "asked").read_text().splitlines()]
    assert [line[0] for line in asked] == ["version", "buildx"]
    assert all(line[1] != str(machine) and line[2] == f"{machine}/buildx" for line in asked)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ('{"gitVersion": "v2.6.1"}', True),
        ('{"gitVersion": "v3.0.0"}', False),
        ('{"gitVersion": "3.1.3"}', False),
        ('{"gitVersion": "v10.0.0"}', False),
        ('{"gitVersion": "devel"}', False),
        ("no JSON", False),
    ],
)
def test_a_cosign_without_signing_configurations_is_refused(machine: Path, said: str, refused: bool) -> None:
    program(machine, "cosign", f"echo '{said}'")
    if not refused:
        require_cosign()
        return
    with pytest.raises(OperatorError, match=r"cosign is 2\.6, signatures need 3\.0"):
        require_cosign()
