"""Opik's login, run on this machine: the real oauth2-proxy with the deployed options between an Entra and an Opik.

Addresses are of this machine; everything else is as it is deployed.
"""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from stacks.platform.components.opik import login
from stacks.platform.components.opik.names import HOST
from stacks.settings import Settings, load_settings
from stacks.settings.network import IngressSettings
from tests.support.ingress.nginx import free_port
from tests.support.login.entra_server import Entra, running_entra
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, port_of, served

PROXY = shutil.which("oauth2-proxy")
CLIENT, GROUP, TENANT = "client", "group", "tenant"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"


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
    log: Path

    def ask(
        self,
        path: str,
        *,
        token: str = "",
        cookies: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        """Ask as the ingress passes requests on."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        forwarded = {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        headers = {**forwarded, **(headers or {})}
        headers |= {"Authorization": token} if token else {}
        headers |= {"Cookie": cookies} if cookies else {}
        connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
        return connection.getresponse()

    def log_in(self, path: str) -> tuple[HTTPResponse, SimpleCookie]:
        """Open a page without a session, and come back from Entra; return the answer and all cookies set."""
        first = self.ask(path)
        state = self.entra.sent_to(first.headers["Location"])
        cookies = SimpleCookie(first.headers["Set-Cookie"])
        back = self.ask(f"/oauth2/callback?code=some&state={state}", cookies=sent(cookies))
        for header in back.headers.get_all("Set-Cookie") or []:
            cookies.load(header)
        return back, cookies


def sent(cookies: SimpleCookie) -> str:
    """Return cookies as a browser sends them."""
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items() if morsel.value)


@contextmanager
def _serving(opik: Opik) -> Iterator[int]:
    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            opik.seen.append((self.command, self.path, dict(self.headers)))
            opik.received = len(self.body())
            if self.path == "/api/stream":
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"7\r\nfirst\n\n\r\n")
                opik.go_on.wait(PATIENCE_S)
                self.wfile.write(b"6\r\nlast\n\n\r\n0\r\n\r\n")
                return
            self.answer(200, b"opik")

        do_GET = do_POST

    with served(Handler) as address:
        yield port_of(address)


def _settings() -> Settings:
    settings = load_settings("dev")
    return settings.model_copy(update={"opik": settings.opik.model_copy(update={"guardrails_pool": "t4"})})


def _options(ingress: IngressSettings | None) -> list[str]:
    """Return the deployed options with an address of this machine instead of the ingress's."""
    settings = _settings() if ingress is None else _settings().model_copy(update={"ingress": ingress})
    return [
        "--trusted-proxy-ip=127.0.0.1" if option.startswith("--trusted-proxy-ip=") else option
        for option in login.options(settings)
    ]


def _configuration(entra: Entra, frontend: int, guardrails: int, port: int) -> dict[str, Any]:
    """Return the deployed file with only addresses of this machine instead of the cluster's and Entra's."""
    settings = _settings()
    file = login.configuration(settings.operators, settings.opik, client_id=CLIENT, group_id=GROUP, tenant_id=TENANT)
    (provider,) = file["providers"]
    provider |= entra.addresses() | {"oidcConfig": provider["oidcConfig"] | entra.without_discovery()}
    moved = {login.FRONTEND: frontend, login.GUARDRAILS: guardrails}
    for upstream in file["upstreamConfig"]["upstreams"]:
        upstream["uri"] = f"http://127.0.0.1:{moved[upstream['uri']]}{upstream['path']}"
    return {**file, "server": {"BindAddress": f"127.0.0.1:{port}"}}


@contextmanager
def running_front(folder: Path, *changed: str, ingress: IngressSettings | None = None) -> Iterator[Front]:
    """Run the proxy with its surroundings; `changed` are options in another form than the deployed one.

    `ingress` is what it is deployed behind, NGINX without.
    """
    opik, guardrails = Opik(), Opik()
    (folder / "token").write_text("token of the pod's account")
    variables = {
        "OAUTH2_PROXY_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
        "AZURE_FEDERATED_TOKEN_FILE": str(folder / "token"),
        "PATH": os.environ["PATH"],
    }
    port = free_port()
    with (
        running_entra(folder, ISSUER) as entra,
        _serving(opik) as frontend,
        _serving(guardrails) as guarding,
        (folder / "log").open("w") as log,
    ):
        names = {option.partition("=")[0] for option in changed}
        deployed = _options(ingress)
        file = folder / "oauth2_proxy.yml"
        file.write_text(json.dumps(_configuration(entra, frontend, guarding, port)))
        arguments = [option for option in deployed if option.partition("=")[0] not in names]
        assert len(arguments) == len(deployed) - len(changed)
        process = subprocess.Popen(
            [str(PROXY), f"--alpha-config={file}", *arguments, *changed], env=variables, stdout=log, stderr=log
        )
        try:
            wait_for(port, process, folder / "log")
            yield Front(port, HOST.name(_settings().domain), entra, opik, guardrails, folder / "log")
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the proxy listens."""
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
