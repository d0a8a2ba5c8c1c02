"""The Job that makes the databases reads one secret of the vault, with its own identity: the script, run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from tests.support.programs.forward_proxy import forward_proxy
from tests.support.programs.key_vault import ASSERTION, CLIENT, TENANT, KeyVault, running_vault

SCRIPT = HELM / "databases" / "vault_secret.sh"
NAME, VALUE = "database-administrator-password", "AdminPassword1"
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH"),
]


@pytest.fixture(name="vault")
def _vault(tmp_path: Path) -> Iterator[KeyVault]:
    with running_vault(tmp_path, {NAME: VALUE}) as found:
        yield found


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "password"


def ask(vault: KeyVault, file: Path, name: str = NAME, **changed: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **vault.environment(), **changed}
    words = ["sh", str(SCRIPT), name, str(file)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_the_secret_is_read_with_the_token_of_the_account_into_a_file_of_its_user_alone(
    vault: KeyVault, file: Path
) -> None:
    done = ask(vault, file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (file.read_text(), oct(file.stat().st_mode)[-3:]) == (VALUE, "600")
    assert vault.asked[-1] == f"/secrets/{NAME}?api-version=7.4"


def test_no_command_line_has_a_token_or_the_secret(vault: KeyVault, file: Path, tmp_path: Path) -> None:
    """Command lines are what every process of a node can read; this curl writes its own down."""
    programs, written = tmp_path / "programs", tmp_path / "lines"
    programs.mkdir()
    (programs / "curl").write_text(f'#!/bin/sh\necho "$*" >>"{written}"\nexec {shutil.which("curl")} "$@"\n')
    (programs / "curl").chmod(0o755)
    assert ask(vault, file, PATH=f"{programs}{os.pathsep}{os.environ['PATH']}").returncode == 0
    lines = written.read_text()
    assert lines.count("\n") == 2
    assert [hidden for hidden in (ASSERTION, VALUE, *vault.tokens) if hidden in lines] == []
    assert vault.tokens


def test_a_role_that_has_not_reached_the_vault_yet_is_waited_for(vault: KeyVault, file: Path) -> None:
    vault.refusals = 3
    done = ask(vault, file)
    assert (done.returncode, file.read_text()) == (0, VALUE)
    assert done.stderr.count(f"does not give {NAME} to the identity {CLIENT}") == 3


def test_the_vault_has_to_be_the_one_of_its_name(vault: KeyVault, file: Path) -> None:
    done = ask(vault, file, VAULT=vault.url.replace("localhost", "127.0.0.1"))
    assert (done.returncode, file.exists()) == (1, False)
    assert {path.partition("?")[0] for path in vault.asked} == {f"/{TENANT}/oauth2/v2.0/token"}


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("gateway-master-key", {}, "does not give gateway-master-key"),
        (NAME, {"CLIENT_ID": "another"}, "gives no token for the identity another"),
        # Whoever answers at the addresses of Entra and the vault has to be them.
        (NAME, {"CURL_CA_BUNDLE": "/dev/null"}, "gives no token"),
    ],
    ids=["another secret", "another identity", "another certificate"],
)
def test_nothing_else_is_read_and_nobody_else_is_asked(
    vault: KeyVault, file: Path, name: str, changed: dict[str, str], said: str
) -> None:
    done = ask(vault, file, name, **changed)
    assert (done.returncode, done.stdout, file.exists()) == (1, "", False)
    assert said in done.stderr
    assert VALUE not in done.stderr


def test_a_proxy_sees_neither_token_nor_secret(vault: KeyVault, file: Path) -> None:
    vault.refusals = 1
    with forward_proxy() as proxy:
        # Plain HTTP has no proxy in pods (test_cluster_egress).
        done = ask(vault, file, HTTPS_PROXY=proxy.url, http_proxy="")
    assert (done.returncode, done.stdout, file.read_text()) == (0, "", VALUE)
    assert set(proxy.opened) == {vault.url.removeprefix("https://")}
    assert proxy.plain == []
