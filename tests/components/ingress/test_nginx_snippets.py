"""What the ingress's NGINX does with plain HTTP and large headers, run with the snippets that are deployed."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from ruamel.yaml import YAML

from stacks.common.routes import Allowed, HostRoutes, Who
from stacks.platform.common.catalogue import HELM
from stacks.platform.components.ingress.snippets import snippets
from tests.support.ingress.nginx import NGINX, free_port, running_nginx
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.programs, pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH")]

HOST = "opik.example.com"
CHALLENGE = "/.well-known/acme-challenge/token"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a host that answers `application` where it is not redirected."""
    values = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text())
    assert values["controller"]["config"]["entries"]["ssl-redirect"] == "False"
    page = Allowed(name="pages", who=Who.ANYONE, methods=("GET",), paths=("/**",), why="pages")
    entries = snippets({HOST: HostRoutes(allowed=(page,))})
    found = free_port()
    http = f"""
        {entries["http-snippets"]}
        server {{
            listen 127.0.0.1:{found};
            server_name {HOST};
            {entries["server-snippets"]}
            location / {{ return 200 application; }}
        }}"""
    with running_nginx(tmp_path_factory.mktemp("nginx"), found, http):
        yield found


def _ask(port: int, path: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path, headers={"Host": HOST, **headers})
    return connection.getresponse()


def _status(port: int, target: bytes) -> int:
    """Send a target as it is, which Python's client would refuse or change."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nConnection: close\r\n\r\n")
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/private/traces?page=2", f"/page?from={CHALLENGE}", "/.well-known/other"]
)
def test_plain_http_is_redirected_to_the_same_page(port: int, path: str) -> None:
    answer = _ask(port, path)
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}{path}")


def test_challenges_are_answered_by_plain_http(port: int) -> None:
    answer = _ask(port, CHALLENGE)
    assert (answer.status, answer.read()) == (200, b"application")


@pytest.mark.parametrize(
    "target",
    [
        b"/.well-known/acme-challenge/../../api/v1/private/projects",
        b"/.well-known/acme-challenge/%2e%2e/%2e%2e/api/v1/private/projects",
        b"/.well-known/acme-challenge/..%2f..%2fapi/v1/private/projects",
        b"/.well-known/acme-challenge/..;/..;/api/v1/private/projects",
        b"/.well-known/acme-challenge/..\\..\\api",
        b"/.well-known/acme-challenge/x/../../../api",
        b"/.well-known/acme-challenge//api",
        b"/.well-known/acme-challenge/",
        b"/.well-known/acme-challenge",
        b"/api/v1/private/../../../.well-known/acme-challenge/token",
        b"/api/%2e%2e/.well-known/acme-challenge/token",
        b"//.well-known/acme-challenge/token",
        b"/./.well-known/acme-challenge/token",
        b"/%2ewell-known/acme-challenge/token",
        b"/.well-known/acme-challenge/token?name=value",
        b"/.well-known/acme-challenge/token;name=value",
        b"/.well-known/acme-challenge/tok%65n",
        b"/.WELL-KNOWN/acme-challenge/token",
        b"http://opik.example.com/.well-known/acme-challenge/../../api",
    ],
)
def test_nothing_but_a_challenge_itself_is_answered_by_plain_http(port: int, target: bytes) -> None:
    assert _status(port, target) in {301, 400}


def test_cookies_of_a_login_with_many_groups_pass(port: int) -> None:
    assert _ask(port, CHALLENGE, Cookie="session=" + "x" * 60_000).status == 200
    assert _ask(port, CHALLENGE, Cookie="session=" + "x" * 70_000).status == 400
