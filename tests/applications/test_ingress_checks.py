"""The ingress as a browser and an SDK see it: real servers, real certificates."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.applications.ingress import Ingress, dns_checks, host_checks, ingress_of, outside_checks
from scripts.core import http as web
from scripts.core.checks import Check, wait_until_passed
from stacks.common.hosts import Host
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.opik.names import HOST as OPIK
from stacks.settings import load_settings, parse_settings
from tests.support.web_servers import Reply, authority, certificate_for, serving

DOMAIN = "new.example.org"
HOST = "opik.new.example.org"
CALLBACK = f"https://{HOST}/oauth2/callback"
ADDRESS = "203.0.113.7"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name of the tests leads to this machine, as DNS would say."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo",
        lambda host, *rest, **named: real("127.0.0.1" if str(host).endswith("example.org") else host, *rest, **named),
    )  # fmt: skip


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("authorities")
    return {name: authority(folder, name) for name in ("real", "cert-manager.local")}


def proxy(_host: str, path: str) -> Reply:
    """Answer as oauth2-proxy does: health without login, 401 for programs, the login for everybody else."""
    if path == "/ping":
        return 200, {}, b"OK"
    if path.startswith("/api/"):
        return 401, {}, b""
    login = "https://login.microsoftonline.com/tenant/oauth2/v2.0/authorize"
    return (
        302,
        {"Location": f"{login}?client_id=c&redirect_uri={CALLBACK.replace(':', '%3A').replace('/', '%2F')}"},
        b"",
    )


def to_https(host: str, path: str) -> Reply:
    return 301, {"Location": f"https://{host}{path}"}, b""


@contextmanager
def ingress(
    folder: Path,
    issuer: tuple[Path, Path],
    *names: str,
    secure: Any = proxy,
    plain: Any = to_https,
    days: int = 2,
) -> Iterator[Ingress]:
    with ExitStack() as stack:
        tls = certificate_for(folder, issuer, *names, days=days)
        https, http = stack.enter_context(serving(secure, tls)), stack.enter_context(serving(plain))
        yield Ingress(https_port=https, http_port=http)


def problems(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.problem for check in checks if check.problem}


@pytest.fixture
def real(authorities: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return an authority that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities["real"][0]))
    return authorities["real"]


def test_a_door_as_it_should_be_has_no_problem(real: tuple[Path, Path], tmp_path: Path) -> None:
    with ingress(tmp_path, real, HOST) as sound:
        checks = host_checks(sound, OPIK, DOMAIN)
    assert len(checks) == 4
    assert problems(checks) == {}


def test_the_old_domains_certificate_is_no_certificate(real: tuple[Path, Path], tmp_path: Path) -> None:
    with ingress(tmp_path, real, "opik.old.example.org") as old:
        found = problems(host_checks(old, OPIK, DOMAIN))
    assert "Hostname mismatch" in found[f"certificate of {HOST}"]
    assert f"login at {HOST}" in found


def test_an_authority_that_nobody_knows_is_not_trusted(
    authorities: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    with ingress(tmp_path, authorities["cert-manager.local"], HOST) as unknown:
        assert "certificate: " in problems(host_checks(unknown, OPIK, DOMAIN))[f"certificate of {HOST}"]


def test_a_staging_certificate_counts_by_name_and_not_by_trust(
    authorities: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    with ingress(tmp_path, authorities["real"], HOST) as staging:
        assert problems(host_checks(replace(staging, trusted=False), OPIK, DOMAIN)) == {}
        assert "certificate" in problems(host_checks(replace(staging, trusted=True), OPIK, DOMAIN))[f"login at {HOST}"]


def test_a_staging_certificate_for_other_names_does_not_count(
    authorities: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    with ingress(tmp_path, authorities["real"], "opik.old.example.org") as staging:
        found = problems(host_checks(replace(staging, trusted=False), OPIK, DOMAIN))
    assert "Hostname mismatch" in found[f"certificate of {HOST}"]


def test_cert_managers_temporary_certificate_is_not_taken_for_an_issued_one(
    authorities: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    with ingress(tmp_path, authorities["cert-manager.local"], HOST) as early:
        found = problems(host_checks(replace(early, trusted=False), OPIK, DOMAIN))
    assert "temporary one of cert-manager" in found[f"certificate of {HOST}"]


def without_login(_host: str, _path: str) -> Reply:
    return 200, {}, b"<html>everything</html>"


def test_an_open_door_is_a_problem(real: tuple[Path, Path], tmp_path: Path) -> None:
    with ingress(tmp_path, real, HOST, secure=without_login, plain=without_login) as open_door:
        found = problems(host_checks(open_door, OPIK, DOMAIN))
    assert found[f"login at {HOST}"].startswith("answers 200 instead of a redirect to login.microsoftonline.com")
    assert found[f"API at {HOST} without a token"] == "answers 200 instead of 401"
    assert found[f"http://{HOST} leads to https"].startswith("answers 200 instead of a redirect")


def test_programs_must_not_be_sent_to_a_login_page(real: tuple[Path, Path], tmp_path: Path) -> None:
    with ingress(tmp_path, real, HOST, secure=lambda host, _path: proxy(host, "/")) as wrong:
        found = problems(host_checks(wrong, OPIK, DOMAIN))
    assert found[f"API at {HOST} without a token"].startswith("answers 302 to https://login.")


def test_a_login_that_returns_to_the_old_domain_is_told(real: tuple[Path, Path], tmp_path: Path) -> None:
    old = "opik.old.example.org"
    with ingress(tmp_path, real, old) as stale:
        found = problems(host_checks(stale, OPIK, "old.example.org"))
    assert found == {f"login at {old}": f"would return from the login to {CALLBACK}, not https://{old}/oauth2/callback"}


def every_application(host: str, path: str) -> Reply:
    """Answer as the four applications do to whoever is not logged in, on the paths of the pinned versions."""
    label = host.partition(".")[0]
    refused = {"opik": "/api/is-alive/ping", "chat": "/api/models", "api": "/v1/models", "grafana": "/api/org"}
    logins = {"opik": "/", "chat": "/oauth/oidc/login", "grafana": "/login/azuread"}
    callbacks = {"opik": "/oauth2/callback", "chat": "/oauth/oidc/callback", "grafana": "/login/azuread"}
    if path == refused[label]:
        return 401, {}, b""
    if path == logins.get(label):
        login = "https://login.microsoftonline.com/t/oauth2/v2.0/authorize"
        return 302, {"Location": f"{login}?redirect_uri=https%3A%2F%2F{host}{callbacks[label]}"}, b""
    return 200, {}, b"<html>"


def test_every_host_that_is_on_is_checked(real: tuple[Path, Path], tmp_path: Path) -> None:
    settings = load_settings("dev").model_copy(update={"domain": DOMAIN})
    hosts = enabled_components(settings).hosts()
    names = [f"{label}.{DOMAIN}" for label in ("chat", "opik", "api", "grafana")]
    with ingress(tmp_path, real, *names, secure=every_application) as sound:
        checks = outside_checks(sound, hosts, DOMAIN)
        assert problems(checks) == {}
        assert {name for name in names if not any(name in check.name for check in checks)} == set()
        chat_alone = ingress(tmp_path, real, names[0], secure=every_application)
        with chat_alone as lacking:
            found = problems(outside_checks(lacking, hosts, DOMAIN))
    assert {f"certificate of {name}" for name in names[1:]} <= set(found)
    assert not any(names[0] in check for check in found)


@pytest.mark.parametrize("host", enabled_components(load_settings("dev")).known_hosts(), ids=lambda host: host.label)
def test_the_ingress_answers_what_the_check_asks_for(host: Host) -> None:
    assert host.routes.answers("GET", host.guarded_path)
    assert host.callback_path is None or host.routes.answers("GET", host.login_path)


def test_nobody_there_is_told_in_one_line_each() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = problems(host_checks(Ingress(https_port=port, http_port=port), OPIK, DOMAIN))
    assert len(found) == 4
    assert all("ConnectionRefusedError" in problem and "\n" not in problem for problem in found.values())


@pytest.mark.parametrize(
    ("addresses", "problem"),
    [
        ({ADDRESS}, ""),
        (set(), "has no address; it needs the record `opik.a. CNAME t.azure.com.`"),
        ({"198.51.100.1"}, "leads to 198.51.100.1 instead of 203.0.113.7; it needs the record"),
        ({ADDRESS, "198.51.100.1"}, "leads to 198.51.100.1, 203.0.113.7 instead of"),
    ],
)
def test_every_name_must_lead_to_the_ingress_and_nowhere_else(addresses: set[str], problem: str) -> None:
    (check,) = dns_checks(["opik.a"], ADDRESS, "t.azure.com", lambda _host: addresses)
    assert problem in check.problem
    assert bool(check.problem) == bool(problem)


def test_names_are_resolved_by_the_machines_own_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    assert web.resolve("opik.example.org") == {"127.0.0.1"}

    def unknown(*_arguments: Any, **_named: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert web.resolve("opik.example.org") == set()


def test_waiting_ends_when_all_is_well_and_tells_each_reason_once() -> None:
    states = iter(["no certificate", "no certificate", "no login", ""])
    said: list[str] = []
    checks = wait_until_passed(lambda: [Check("ingress", next(states))], said.append, patience_s=60, poll_s=0)
    assert problems(checks) == {}
    assert said == ["waiting: ingress: no certificate", "waiting: ingress: no login"]


def test_waiting_ends_with_what_is_wrong_when_patience_does() -> None:
    checks = wait_until_passed(lambda: [Check("ingress", "no certificate")], lambda _text: None, patience_s=0, poll_s=0)
    assert problems(checks) == {"ingress": "no certificate"}


def test_a_private_name_asks_for_no_public_record() -> None:
    (check,) = dns_checks(["chat.llm.internal"], "10.40.18.4", "", lambda _host: set())
    assert check.problem == (
        "has no address; this machine's resolver does not know the private zone (docs/how-to/private-access.md)"
    )
    (check,) = dns_checks(["chat.llm.internal"], "10.40.18.4", "", lambda _host: {"10.40.18.4"})
    assert check.problem == ""


@pytest.mark.parametrize(
    ("name", "trusted"), [("by_vpn", False), ("with_own_certificate", False), ("with_lets_encrypt", True)]
)
def test_certificates_of_an_internal_ca_are_not_expected_to_be_trusted_here(name: str, *, trusted: bool) -> None:
    file = Path(__file__).parents[1] / "environments" / f"valid.private_{name}.yaml"
    assert ingress_of(parse_settings(file.read_text("utf-8"), file.name)).trusted is trusted
