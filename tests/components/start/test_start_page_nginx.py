"""The start page's web server, run: the real nginx with the rendered configuration."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ingress.nginx import free_port
from tests.support.kubernetes.rendered import HELM
from tests.support.serving.proxy_pods import NGINX
from tests.support.start.page import page_server, private
from tests.support.web_servers import QuietHandler, port_of, served

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH"),
    pytest.mark.skipif(HELM is None, reason="helm is not on PATH"),
]

ROOT = "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n"


@dataclass
class Answer:
    """Status, headers and body."""

    status: int
    headers: http.client.HTTPMessage
    body: str


@dataclass
class Page:
    """The page, and the services whose health it asks for."""

    port: int
    asked: list[tuple[str, str, dict[str, str]]]
    statuses: dict[str, int]

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    asked: list[tuple[str, str, dict[str, str]]] = []
    statuses: dict[str, int] = {}

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, dict(self.headers)))
            self.answer(statuses.get(self.path, 200), b"version 1.2.3, database db.example.com")

    folder = tmp_path_factory.mktemp("start")
    with served(Handler) as address:
        port = free_port()
        health = dict.fromkeys(("chat", "api", "opik"), port_of(address))
        program = page_server(private(), folder, port, health=health, authority=ROOT)
        program.start()
        try:
            yield Page(port, asked, statuses)
        finally:
            program.stop()


@pytest.fixture
def page(running: Page) -> Page:
    running.asked.clear()
    running.statuses.clear()
    return running


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/pico.css", "text/css; charset=utf-8"),
        ("/start.css", "text/css; charset=utf-8"),
        ("/start.js", "text/javascript; charset=utf-8"),
        ("/ca.crt", "application/x-pem-file"),
    ],
)
def test_its_files_are_served_with_their_types_under_a_strict_policy(page: Page, path: str, type_: str) -> None:
    answer = page.ask(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, type_)
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "nginx/" not in str(answer.headers)


def test_the_certificate_of_the_internal_ca_is_handed_out_as_it_is(page: Page) -> None:
    assert page.ask("/ca.crt").body == ROOT


@pytest.mark.parametrize(
    "path", ["/health.txt", "/index.html", "/nothing", "/asked/chat", "/silent", "/health/grafana"]
)
def test_nothing_else_is_served(page: Page, path: str) -> None:
    assert page.ask(path).status == (503 if path == "/health/grafana" else 404)


@pytest.mark.parametrize(
    ("label", "path"), [("chat", "/health"), ("api", "/health/readiness"), ("opik", "/api/health-check")]
)
@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 503])
def test_of_a_service_nothing_but_whether_it_answers_is_told(page: Page, label: str, path: str, status: int) -> None:
    page.statuses[path] = status
    answer = page.ask(f"/health/{label}", Authorization="Bearer token", Cookie="session=1")
    assert answer.status == (200 if status == 200 else 503)
    assert "db.example.com" not in answer.body
    ((method, asked, headers),) = page.asked
    assert (method, asked) == ("GET", path)
    assert {"authorization", "cookie"}.isdisjoint(name.lower() for name in headers)


def test_a_service_that_is_not_there_is_told_as_one_that_does_not_answer(tmp_path: Path) -> None:
    port = free_port()
    program = page_server(private(), tmp_path, port, health={"chat": free_port()}, authority=ROOT)
    program.start()
    try:
        assert Page(port, [], {}).ask("/health/chat").status == 503
    finally:
        program.stop()
