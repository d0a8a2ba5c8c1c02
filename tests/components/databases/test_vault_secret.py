"""The Job that makes the databases reads one secret of the vault, with its own identity: the script, run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import HELM
from tests.support.programs.forward_proxy import forward_proxy
from tests.support.programs.key_vault import CLIENT, TENANT, KeyVault, running_vault

SCRIPT = HELM / "databases" / "vault_secret.sh"
NAME, VALUE = "database-administrator-password", "AdminPassword1"
pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl"),
    pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not on PATH"),
]


@pytest.fixture(name="vault")
def _vault(tmp_path: Path) -> Iterator[KeyVault]:
    with running_vault(tmp_path, {NAME: VALUE}) as found:
        yield found


def ask(vault: KeyVault, name: str = NAME, **changed: str) -> "subprocess.CompletedProcess[str]":
    """Run the script; with `trusted=no` its client does not know the authority of whoever answers."""
    if changed.pop("trusted", None):
        (vault.token_file.parent / "wgetrc").write_text("")
    environment = {"PATH": os.environ["PATH"], **vault.environment(), **changed}
    return subprocess.run(["sh", str(SCRIPT), name], env=environment, capture_output=True, text=True, check=False)


def test_the_secret_is_read_with_the_token_of_the_account_and_printed_alone(vault: KeyVault) -> None:
    done = ask(vault)
    assert (done.returncode, done.stdout, done.stderr) == (0, VALUE, "")
    assert vault.asked[-1] == f"/secrets/{NAME}?api-version=7.4"


def test_a_role_that_has_not_reached_the_vault_yet_is_waited_for(vault: KeyVault) -> None:
    vault.refusals = 3
    done = ask(vault)
    assert (done.returncode, done.stdout) == (0, VALUE)
    assert done.stderr.count(f"does not give {NAME} to the identity {CLIENT}") == 3


def test_the_vault_has_to_be_the_one_of_its_name(vault: KeyVault) -> None:
    done = ask(vault, VAULT=vault.url.replace("localhost", "127.0.0.1"))
    assert (done.returncode, done.stdout) == (1, "")
    assert {path.partition("?")[0] for path in vault.asked} == {f"/{TENANT}/oauth2/v2.0/token"}


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("gateway-master-key", {}, "does not give gateway-master-key"),
        (NAME, {"CLIENT_ID": "another"}, "gives no token for the identity another"),
        # Whoever answers at the addresses of Entra and the vault has to be them.
        (NAME, {"trusted": "no"}, "gives no token"),
    ],
    ids=["another secret", "another identity", "another certificate"],
)
def test_nothing_else_is_read_and_nobody_else_is_asked(
    vault: KeyVault, name: str, changed: dict[str, str], said: str
) -> None:
    done = ask(vault, name, **changed)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert VALUE not in done.stderr


def hand_over(vault: KeyVault, file: Path, **changed: str) -> "subprocess.CompletedProcess[str]":
    """Run the script of environments with an egress proxy, whose client is curl."""
    environment = {"PATH": os.environ["PATH"], **vault.environment(), "CURL_CA_BUNDLE": str(vault.trusted), **changed}
    words = ["sh", str(SCRIPT.with_name("hand_over.sh")), NAME, str(file)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH")
def test_a_proxy_sees_neither_token_nor_secret(vault: KeyVault, tmp_path: Path) -> None:
    vault.refusals = 1
    with forward_proxy() as proxy:
        # Plain HTTP has no proxy in pods (test_cluster_egress); wget would take that one for HTTPS, unencrypted.
        done = hand_over(vault, tmp_path / "password", HTTPS_PROXY=proxy.url, http_proxy="")
    assert (done.returncode, done.stdout) == (0, "")
    assert ((tmp_path / "password").read_text(), oct((tmp_path / "password").stat().st_mode)[-3:]) == (VALUE, "600")
    assert set(proxy.opened) == {vault.url.removeprefix("https://")}
    assert proxy.plain == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH")
def test_what_is_handed_over_comes_from_the_vault_of_its_name_alone(vault: KeyVault, tmp_path: Path) -> None:
    done = hand_over(vault, tmp_path / "password", CURL_CA_BUNDLE="/dev/null")
    assert (done.returncode, (tmp_path / "password").exists()) == (1, False)
    assert "gives no token" in done.stderr
