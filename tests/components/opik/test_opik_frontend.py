"""What Opik's frontend does with each path, run: a real nginx with the configuration that the chart renders."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from stacks.settings.opik import OpikProfile
from tests.support.ingress.nginx import NGINX, free_port, running_nginx
from tests.support.opik.rendering import RENDERING, of_kind, render, settings_with
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import Reply, serving

pytestmark = [*RENDERING, pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH")]

PAGE = b"<html>the application</html>"
ANSWERS = {
    "/": "page",
    "/default/home": "page",
    "/v1/private/projects": "page",
    "/v1/private/evaluators/python": "page",
    "/health-check": "healthy",
    "/health": "healthy",
    "/api/v1/private/projects": "backend /v1/private/projects",
    "/api/health-check?name=all&type=ready": "backend /health-check?name=all&type=ready",
    "/api/v1/private/otel/v1/traces": "backend /v1/private/otel/v1/traces",
    "/swagger/": "description /",
}
"""Path to what answers behind the login: see the routes in docs/reference/opik.md."""


@dataclass(frozen=True)
class Frontend:
    """The frontend on a port of this machine."""

    port: int
    seen: list[dict[str, str]]
    """Headers of every request that reached the backend."""

    def ask(self, path: str, body: bytes | None = None, *, headers: Mapping[str, str] | None = None) -> HTTPResponse:
        """Ask as the login proxy does."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET" if body is None else "POST", path, body=body, headers=dict(headers or {}))
        return connection.getresponse()


@contextmanager
def _frontend(environment: str, folder: Path) -> Iterator[Frontend]:
    seen: list[dict[str, str]] = []

    def answering(name: str) -> AbstractContextManager[int]:
        def answer(_host: str, path: str) -> Reply:
            return 200, {"Content-Type": "text/plain"}, f"{name} {path}".encode()

        return serving(answer, seen=seen)

    objects = render("opik", settings_with(environment, OpikProfile.SMALL), folder)
    (config,) = (item for item in of_kind(objects, "ConfigMap") if item["metadata"]["name"] == "opik-frontend-nginx")
    (text,) = config["data"].values()
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_bytes(PAGE)
    with ExitStack() as stack:
        backend, description = (stack.enter_context(answering(name)) for name in ("backend", "description"))
        port = free_port()
        moved = {
            r"opik-backend:8080": f"127.0.0.1:{backend}",
            r"opik-backend:3003": f"127.0.0.1:{description}",
            r"listen 5173 default_server": f"listen 127.0.0.1:{port} default_server",
            r"/usr/share/nginx/html": str(folder / "html"),
            # Modules of the image that not every nginx has: tracing, and callers' addresses for the log.
            r"\n[^\n]*(otel_trace|real_ip_)[^\n]*": "",
        }
        for wanted, here in moved.items():
            text, times = re.subn(wanted, here, text)
            assert times, wanted
        stack.enter_context(running_nginx(folder, port, text))
        yield Frontend(port, seen)


@pytest.fixture(scope="module", params=["dev", "prod"])
def frontend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Frontend]]:
    """Return an environment and its frontend."""
    with _frontend(request.param, tmp_path_factory.mktemp(request.param)) as found:
        yield request.param, found


@pytest.mark.parametrize("path", ANSWERS)
def test_a_path_is_answered_as_documented(frontend: tuple[str, Frontend], path: str) -> None:
    answer = frontend[1].ask(path)
    expected = {"page": PAGE, "healthy": b"healthy\n"}.get(ANSWERS[path], ANSWERS[path].encode())
    assert (answer.status, answer.read()) == (200, expected)


def test_the_token_that_let_somebody_in_ends_at_the_frontend(frontend: tuple[str, Frontend]) -> None:
    found = frontend[1]
    found.seen.clear()
    answer = found.ask(
        "/api/v1/private/projects", headers={"Authorization": "Bearer token.of.somebody", "X-Kept": "yes"}
    )
    assert answer.status == 200
    (headers,) = found.seen
    assert headers["X-Kept"] == "yes"
    assert "token.of.somebody" not in str(headers)


def test_no_path_reaches_the_python_backend(frontend: tuple[str, Frontend]) -> None:
    assert frontend[1].ask("/v1/private/evaluators/python", body=b"{}").status == 405


def test_transport_security_is_told_where_the_front_door_does_not(frontend: tuple[str, Frontend]) -> None:
    environment, found = frontend
    for path in ("/", "/health-check"):
        told = found.ask(path).headers.get_all("Strict-Transport-Security") or []
        # A location with headers of its own, as nginx has it, drops those of the server around it.
        assert told == (["max-age=31536000"] if environment == "prod" and path == "/" else [])
