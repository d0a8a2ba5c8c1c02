"""`llmctl client` prints what people's computers need, out of the vault, and nothing of the CA's key."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.azure.resources import Azure
from scripts.cli.client import commands as client
from scripts.cli.tools import Tools
from scripts.core.errors import OperatorError
from stacks.settings import Settings, load_settings, parse_settings
from tests.support.web_servers import authority

FILE = Path(__file__).parents[2] / "environments" / "valid.private_with_tailscale.yaml"
PRIVATE = parse_settings(FILE.read_text("utf-8"), FILE.name)


class Vault:
    """A vault with one secret in two versions."""

    def __init__(self, *values: str) -> None:
        self.values = dict(enumerate(values))

    def versions(self, vault: str, name: str) -> list[tuple[str, bool]]:
        assert (vault, name) == (PRIVATE.azure_names.key_vault, "kept-internal-ca")
        return [(str(number), True) for number in sorted(self.values, reverse=True)]

    def carry(self, vault: str, name: str, version: str, into: Callable[[Path], None]) -> None:
        assert vault
        assert name
        file = self.folder / "value"
        file.write_text(self.values[int(version)])
        into(file)

    folder = Path()


class Subscription(Azure):
    """Only its vaults are asked."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @property
    def vaults(self) -> Vault:  # type: ignore[override]
        return self._vault


def _run(vault: Vault, folder: Path, *arguments: str, settings: Settings = PRIVATE) -> Result:
    vault.folder = folder
    tools = Tools(load=lambda _: settings, azure_of=lambda _: Subscription(vault))
    return CliRunner().invoke(client.app, [*arguments, "dev"], obj=tools)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return authority(tmp_path, "internal")[0].read_text("utf-8")


def _kept(certificate: str) -> str:
    return json.dumps({"tls.crt": certificate, "tls.key": "PRIVATE", "ca.crt": certificate})


def test_the_fingerprint_is_the_one_that_openssl_reads(root: str, tmp_path: Path) -> None:
    shown = _run(Vault("{}", _kept(root)), tmp_path, "fingerprint").stdout.strip()
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
    read = subprocess.run(command, input=root, capture_output=True, text=True, check=True).stdout
    assert shown == read.strip().partition("=")[2]


def test_the_certificate_is_printed_without_its_key(root: str, tmp_path: Path) -> None:
    assert _run(Vault(_kept(root)), tmp_path, "ca").stdout == root


@pytest.mark.parametrize(("option", "name"), [((), "#!/bin/sh"), (("--windows",), "<#")])
def test_the_installer_is_made_for_the_environment(tmp_path: Path, option: tuple[str, ...], name: str) -> None:
    shown = _run(Vault(), tmp_path, "installer", *option).stdout
    assert shown.startswith(name)
    assert "'llm.internal'" in shown
    assert "'chat api opik start grafana'" in shown
    assert "@" not in "".join(line for line in shown.splitlines() if "ZONE" in line or "HOSTS" in line)


@pytest.mark.parametrize(
    ("settings", "values", "problem"),
    [(load_settings("dev"), ("{}",), "no internal CA"), (PRIVATE, ("{}",), "does not have the CA yet")],
)
def test_where_there_is_no_ca_it_says_so(
    tmp_path: Path, settings: Settings, values: tuple[str, ...], problem: str
) -> None:
    done = _run(Vault(*values), tmp_path, "fingerprint", settings=settings)
    assert isinstance(done.exception, OperatorError)
    assert problem in str(done.exception)
