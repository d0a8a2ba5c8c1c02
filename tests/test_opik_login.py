"""The login before Opik, run: the real oauth2-proxy with the options that are deployed, before an Opik of the test.

Needs `oauth2-proxy` on PATH, in the version that `helm/images.yaml` names.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stacks.hosts import Hosts
from stacks.kubernetes.catalogue import images
from stacks.kubernetes.opik import login
from stacks.settings import Settings, load_settings
from tests.entra_server import Entra, new_key, running_entra

PROXY = shutil.which("oauth2-proxy")
pytestmark = [
    pytest.mark.skipif(PROXY is None, reason="oauth2-proxy is not on PATH"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="tokens are signed with openssl"),
]

CLIENT, GROUP, TENANT = "client", "group", "tenant"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
DOCS = Path(__file__).parents[1] / "docs" / "opik.md"

TO_LOGIN, REFUSED, SERVED = 302, 401, 200
WITHOUT_LOGIN = {
    "/": TO_LOGIN,
    "/default/home": TO_LOGIN,
    "/api/v1/private/projects": REFUSED,
    "/api/v1/private/otel/v1/traces": REFUSED,
    "/api/health-check": REFUSED,
    "/v1/private/projects": TO_LOGIN,
    "/v1/private/evaluators/python": TO_LOGIN,
    "/health-check": TO_LOGIN,
    "/guardrails/api/v1/guardrails/validations": REFUSED,
    "/oauth2/start": TO_LOGIN,
    "/oauth2/auth": REFUSED,
    "/ping": SERVED,
    "/ready": SERVED,
    "/swagger/": TO_LOGIN,
}
"""Path to the status without a session or token."""


@dataclass
class Opik:
    """Stands where Opik's frontend stands: notes what arrives."""

    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers."""
    received: int = 0
    """Bytes of the last body."""
    go_on: threading.Event = field(default_factory=threading.Event)


@dataclass
class Front:
    """The proxy, with what is before and behind it."""

    port: int
    host: str
    entra: Entra
    opik: Opik
    guardrails: Opik

    def ask(self, path: str, *, token: str = "", cookies: str = "", body: bytes | None = None) -> HTTPResponse:
        """Ask as the front door passes requests on."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        headers |= {"Authorization": token} if token else {}
        headers |= {"Cookie": cookies} if cookies else {}
        connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
        return connection.getresponse()

    def log_in(self, path: str) -> tuple[HTTPResponse, SimpleCookie]:
        """Open a page without a session, and come back from Entra; return the answer and all cookies set."""
        first = self.ask(path)
        state = self.entra.sent_to(first.headers["Location"])
        cookies = SimpleCookie(first.headers["Set-Cookie"])
        back = self.ask(f"/oauth2/callback?code=some&state={state}", cookies=_sent(cookies))
        for header in back.headers.get_all("Set-Cookie") or []:
            cookies.load(header)
        return back, cookies


def _sent(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items() if morsel.value)


@contextmanager
def _serving(opik: Opik) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            opik.seen.append((self.command, self.path, dict(self.headers)))
            opik.received = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            if self.path == "/api/stream":
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"7\r\nfirst\n\n\r\n")
                opik.go_on.wait(20)
                self.wfile.write(b"6\r\nlast\n\n\r\n0\r\n\r\n")
                return
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"opik")

        do_GET = do_POST

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _settings() -> Settings:
    settings = load_settings("dev")
    return settings.model_copy(update={"opik": settings.opik.model_copy(update={"guardrails_pool": "t4"})})


def _arguments(entra: Entra, frontend: int, guardrails: int, port: int) -> list[str]:
    """Return the deployed options with only addresses of this machine instead of the cluster's and Entra's."""
    moved = {
        f"--upstream={login.FRONTEND}": f"http://127.0.0.1:{frontend}/",
        f"--upstream={login.GUARDRAILS}": f"http://127.0.0.1:{guardrails}/guardrails/",
        "--trusted-proxy-ip=": "127.0.0.1",
    }
    given = []
    for option in login.options(_settings(), client_id=CLIENT, group_id=GROUP, tenant_id=TENANT):
        name = option.partition("=")[0]
        new = next((value for start, value in moved.items() if option.startswith(start)), None)
        given.append(option if new is None else f"{name}={new}")
    return [*given, *entra.options(), f"--http-address=127.0.0.1:{port}"]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("login")
    opik, guardrails = Opik(), Opik()
    (folder / "token").write_text("token of the pod's account")
    variables = {
        "OAUTH2_PROXY_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
        "AZURE_FEDERATED_TOKEN_FILE": str(folder / "token"),
        "PATH": os.environ["PATH"],
    }
    with (
        running_entra(folder, ISSUER) as entra,
        _serving(opik) as frontend,
        _serving(guardrails) as guarding,
        socket.create_server(("127.0.0.1", 0)) as free,
        (folder / "log").open("w") as log,
    ):
        port = int(free.getsockname()[1])
        free.close()
        arguments = _arguments(entra, frontend, guarding, port)
        process = subprocess.Popen([str(PROXY), *arguments], env=variables, stdout=log, stderr=log)
        try:
            _wait_for(port, process, folder / "log")
            yield Front(port, Hosts(_settings().domain).opik, entra, opik, guardrails)
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def test_the_proxy_is_the_deployed_version() -> None:
    shown = subprocess.run([str(PROXY), "--version"], capture_output=True, text=True, check=True)
    told = re.search(r"v\d+\.\d+\.\d+", shown.stdout + shown.stderr)
    if told is None:
        pytest.skip("built from source without a version")
    assert told.group() == images()["oauth2-proxy/proxy"].tag


@pytest.mark.parametrize("path", WITHOUT_LOGIN)
def test_a_route_without_a_login_answers_as_documented(front: Front, path: str) -> None:
    front.opik.seen.clear()
    answer = front.ask(path)
    assert answer.status == WITHOUT_LOGIN[path]
    if answer.status == TO_LOGIN:
        assert front.entra.sent_to(answer.headers["Location"])
        assert front.entra.asked["redirect_uri"] == f"https://{front.host}/oauth2/callback"
    assert front.opik.seen == []


def test_a_member_logs_in_and_comes_back_to_where_the_login_began(front: Front) -> None:
    front.entra.member_of = ["other", GROUP]
    back, cookies = front.log_in("/default/projects?page=2")
    assert back.status == 302
    assert back.headers["Location"] == "/default/projects?page=2"
    page = front.ask("/default/projects?page=2", cookies=_sent(cookies))
    assert (page.status, page.read()) == (200, b"opik")
    api = front.ask("/api/v1/private/projects", cookies=_sent(cookies))
    assert api.status == 200


def test_the_proxy_proves_itself_by_its_account_and_the_login_by_what_it_began_with(front: Front) -> None:
    front.entra.member_of = [GROUP]
    front.log_in("/")
    form = front.entra.exchanges[-1]
    assert form["client_assertion"] == "token of the pod's account"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert not {name for name in form if "secret" in name}
    assert front.entra.asked["code_challenge_method"] == "S256"


def test_whoever_is_in_no_access_group_is_refused_after_the_login(front: Front) -> None:
    front.entra.member_of = ["other"]
    back, cookies = front.log_in("/")
    assert back.status == 403
    assert front.ask("/", cookies=_sent(cookies)).status == TO_LOGIN


def test_cookies_belong_to_this_host_by_https_and_to_no_script(front: Front) -> None:
    front.entra.member_of = [GROUP]
    _, cookies = front.log_in("/")
    assert cookies
    for name, morsel in cookies.items():
        assert name.startswith("__Host-opik")
        assert morsel["secure"]
        assert morsel["httponly"]
        assert morsel["path"] == "/"
        assert not morsel["domain"]
        assert morsel["samesite"].lower() == "lax"


def test_a_program_passes_with_a_token_of_the_application(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=["other", GROUP])
    front.opik.seen.clear()
    assert front.ask("/api/v1/private/projects", token=f"Bearer {token}").status == 200
    ((_, path, headers),) = front.opik.seen
    assert path == "/api/v1/private/projects"
    assert headers["Host"] == front.host


def test_programs_reach_guardrails_at_their_path(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    front.guardrails.seen.clear()
    path = "/guardrails/api/v1/guardrails/validations"
    assert front.ask(path, token=f"Bearer {token}", body=b"{}").status == 200
    assert [(method, seen) for method, seen, _ in front.guardrails.seen] == [("POST", path)]


@pytest.mark.parametrize("path", ["/api/v1/private/projects", "/"])
@pytest.mark.parametrize(
    "case",
    [
        "no member",
        "another application",
        "another tenant",
        "over",
        "another signer",
        "too many groups",
        "no token",
        "basic",
    ],
)
def test_a_token_that_does_not_count_is_refused_and_never_redirected(
    front: Front, case: str, path: str, tmp_path: Path
) -> None:
    tokens: dict[str, Callable[[], str]] = {
        "no member": lambda: f"Bearer {front.entra.token(CLIENT, groups=['other'])}",
        "another application": lambda: f"Bearer {front.entra.token('other', groups=[GROUP])}",
        "another tenant": lambda: (
            f"Bearer {front.entra.token(CLIENT, groups=[GROUP], iss=ISSUER.replace(TENANT, 'other'))}"
        ),
        "over": lambda: f"Bearer {front.entra.token(CLIENT, groups=[GROUP], exp=int(time.time()) - 60)}",
        "another signer": lambda: (
            f"Bearer {front.entra.token(CLIENT, key=new_key(tmp_path / 'other.pem'), groups=[GROUP])}"
        ),
        # Entra then says where to ask for them instead, which the proxy does for sessions only.
        "too many groups": lambda: f"Bearer {front.entra.token(CLIENT, _claim_names={'groups': 'src1'})}",
        "no token": lambda: "an-api-key-of-another-service",
        "basic": lambda: "Basic b3BpazpvcGlr",
    }
    front.opik.seen.clear()
    answer = front.ask(path, token=tokens[case]())
    assert answer.status == 403
    assert "Location" not in answer.headers
    assert front.opik.seen == []


def test_no_identity_is_handed_to_opik_and_none_can_be_claimed(front: Front) -> None:
    front.entra.member_of = [GROUP]
    _, cookies = front.log_in("/")
    front.opik.seen.clear()
    front.ask("/api/v1/private/projects", cookies=_sent(cookies))
    ((_, _, headers),) = front.opik.seen
    assert not {
        name for name in headers if name.lower().startswith(("x-auth", "x-forwarded-user", "x-forwarded-email"))
    }
    assert "Authorization" not in headers


def test_large_bodies_pass(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    size = 64 * 1024 * 1024
    assert front.ask("/api/v1/private/attachment", token=f"Bearer {token}", body=bytes(size)).status == 200
    assert front.opik.received == size


def test_a_stream_arrives_while_it_is_written(front: Front) -> None:
    token = front.entra.token(CLIENT, groups=[GROUP])
    front.opik.go_on.clear()
    answer = front.ask("/api/stream", token=f"Bearer {token}")
    assert answer.read(7) == b"first\n\n"
    front.opik.go_on.set()
    assert answer.read() == b"last\n\n"


def test_every_route_of_the_documentation_is_asked_for() -> None:
    table = DOCS.read_text("utf-8").partition("\n## Routes\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`/.*?) \|", table, re.MULTILINE)
    documented = {path.rstrip("…") for row in rows for path in re.findall(r"`([^`]+)`", row)}
    # Answered by cert-manager before the proxy is asked.
    documented.remove("/.well-known/acme-challenge/")
    assert len(documented) > 8
    assert {path for path in documented if not any(asked.startswith(path) for asked in WITHOUT_LOGIN)} == set()


def test_answers_are_json_where_programs_ask(front: Front) -> None:
    answer = front.ask("/api/v1/private/projects")
    assert answer.headers["Content-Type"].startswith("application/json")
    json.loads(answer.read() or b"{}")
