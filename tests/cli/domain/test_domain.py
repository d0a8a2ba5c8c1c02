"""An environment moved to another domain: with the real Terraform, a real ingress, and every step failing once."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.applications.ingress import Ingress, challenge_reasons
from scripts.cli.domain import commands as domain
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from tests.applications.test_ingress_checks import every_application, to_https
from tests.support.cli.fake_tools import CONTEXT, Tools, install
from tests.support.cli.operated_environment import ADDRESS, OUTPUTS, Operated, deploy_once, operate
from tests.support.web_servers import authority, certificate_for, serving

OLD, NEW = "llm-dev.example.com", "ai.example.org"

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl"),
]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingress]:
    """Serve both domains on this machine, with a certificate that it trusts."""
    folder = tmp_path_factory.mktemp("ingress")
    issuer = authority(folder, "real")
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("SSL_CERT_FILE", str(issuer[0]))
        names = [f"{label}.{domain}" for domain in (OLD, NEW) for label in ("chat", "opik", "api", "grafana")]
        tls = certificate_for(folder, issuer, *names)
        yield Ingress(
            https_port=stack.enter_context(serving(every_application, tls)),
            http_port=stack.enter_context(serving(to_https)),
        )


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names that DNS knows, all of them leading to the ingress."""
    known = {f"{host}.{name}" for host in ("chat", "opik", "api", "grafana") for name in (OLD, NEW)}
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if not str(host).endswith((OLD, NEW)):
            return real(host, port, *rest, **named)
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return real("127.0.0.1", port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.fixture
def operated(
    deployed: Path, ingress: Ingress, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Operated:
    assert names
    found = operate(deployed, tmp_path / "checkout", monkeypatch)
    found.ingress = ingress
    monkeypatch.setitem(OUTPUTS["address"], "public_ip_address", "127.0.0.1")
    return found


def run(operated: Operated, *words: str) -> Result:
    return CliRunner().invoke(domain.app, words, obj=operated.command_tools)


def refused(operated: Operated, *words: str) -> OperatorError:
    result = run(operated, *words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def set_domain(name: str, *options: str) -> tuple[str, ...]:
    return ("set", name, "dev", "--yes", "--wait-minutes", "0", *options)


def test_a_new_domain_reaches_file_login_and_platform_and_the_old_one_comes_back(operated: Operated) -> None:
    before = operated.text
    result = run(operated, *set_domain(NEW))
    assert result.exit_code == ExitCode.OK, result.output
    assert operated.text == before.replace(f"domain: {OLD}", f"domain: {NEW}")
    assert NEW in operated.deployed("identity")
    assert NEW in operated.deployed("platform")
    assert f"opik.{NEW}" in result.stdout
    assert run(operated, *set_domain(OLD)).exit_code == ExitCode.OK
    assert operated.text == before
    assert NEW not in operated.deployed("identity") + operated.deployed("platform")


def test_names_that_lead_nowhere_stop_everything_and_are_told_with_their_records(
    operated: Operated, names: set[str]
) -> None:
    names.discard(f"opik.{NEW}")
    before = operated.text
    error = refused(operated, *set_domain(NEW))
    assert error.code == ExitCode.REFUSED
    target = OUTPUTS["address"]["public_fqdn"]
    assert f"opik.{NEW} has no address; it needs the record `opik.{NEW}. CNAME {target}.`" in error.message
    assert f"chat.{NEW}" not in error.message
    assert operated.text == before


def test_names_that_lead_elsewhere_stop_everything(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS["address"], "public_ip_address", ADDRESS)
    assert f"leads to 127.0.0.1 instead of {ADDRESS}" in refused(operated, *set_domain(NEW)).message
    assert f"domain: {OLD}" in operated.text


def test_an_operator_may_go_on_before_the_names_are_there(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS["address"], "public_ip_address", ADDRESS)
    assert run(operated, *set_domain(NEW, "--skip-dns")).exit_code == ExitCode.OK
    assert f"domain: {NEW}" in operated.text


@pytest.mark.parametrize("name", ["Not_A_Domain", "nodots", "llm.cloudapp.azure.com"])
def test_what_is_no_domain_changes_nothing(operated: Operated, name: str) -> None:
    before = operated.text
    error = refused(operated, *set_domain(name))
    assert error.code == ExitCode.SETTINGS
    assert "domain" in error.message
    assert operated.text == before


def test_without_consent_the_file_is_as_it_was(operated: Operated) -> None:
    before = operated.text
    assert refused(operated, "set", NEW, "dev").code == ExitCode.REFUSED
    assert operated.text == before
    assert NEW not in operated.deployed("identity")


def test_a_deployment_that_stops_half_way_says_how_to_go_on_and_back(operated: Operated) -> None:
    operated.broken = {
        "lifecycle": {"postcondition": [{"condition": "${self.output == timestamp()}", "error_message": "no"}]}
    }
    error = refused(operated, *set_domain(NEW))
    assert f"on its way to {NEW}" in error.message
    assert f"llmctl domain set {OLD} dev" in error.fix
    assert f"domain: {NEW}" in operated.text
    operated.broken = {}
    assert run(operated, *set_domain(OLD)).exit_code == ExitCode.OK
    assert NEW not in operated.deployed("identity") + operated.deployed("platform")


def test_an_ingress_that_does_not_answer_is_reported_with_cert_managers_reasons_and_the_way_back(
    operated: Operated,
) -> None:
    operated.ingress = Ingress(https_port=1, http_port=1)
    operated.tools.items(
        "challenges.acme.cert-manager.io", challenge(f"opik.{NEW}", "pending", "wrong status code '404'")
    )
    error = refused(operated, *set_domain(NEW))
    assert f"{NEW} is deployed, but does not answer" in error.message
    assert f"llmctl domain set {OLD} dev" in error.fix
    assert "llmctl domain check dev" in error.fix


def challenge(host: str, state: str, reason: str = "") -> dict[str, Any]:
    return {"spec": {"dnsName": host, "type": "HTTP-01"}, "status": {"state": state, "reason": reason}}


def test_only_proofs_of_these_names_that_have_not_succeeded_are_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools: Tools = install(tmp_path / "tools", monkeypatch)
    kind = "challenges.acme.cert-manager.io"
    tools.items(
        kind,
        challenge("a", "pending", "404"),
        challenge("b", "valid"),
        challenge("c", "invalid"),
        {"spec": {"dnsName": "d"}},
    )
    assert challenge_reasons(Kubectl(CONTEXT), ["a", "b", "d"]) == [
        "Let's Encrypt for a: pending: 404",
        "Let's Encrypt for d: waits",
    ]


def test_the_check_alone_changes_nothing_and_fails_when_a_name_is_missing(operated: Operated, names: set[str]) -> None:
    assert run(operated, "check", "dev").exit_code == ExitCode.OK
    names.discard(f"api.{OLD}")
    before = operated.text
    result = run(operated, "check", "dev", "--json")
    assert result.exit_code == ExitCode.FAILED
    assert '"ok": false' in result.stdout
    assert operated.text == before
