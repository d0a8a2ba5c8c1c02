"""A fake HCP Terraform on this machine: HTTPS, tokens, paging and errors; what it answers is in `hcp_api`."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.web_servers import QuietHandler, authority, certificate_for, port_of, served

from .store import Refusal, Store


@dataclass(frozen=True)
class Request:
    """One request, as the routes see it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    token: str

    @property
    def data(self) -> Any:
        """The `data` of the JSON:API document sent."""
        return json.loads(self.body)["data"]

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes sent."""
        return dict(self.data.get("attributes") or {})

    def link(self, name: str) -> str | None:
        """Return the id of a relationship sent, None where there is none."""
        found = (self.data.get("relationships") or {}).get(name, {}).get("data")
        return found["id"] if found else None


@dataclass
class Fault:
    """The next `times` requests that match are answered with `status`."""

    method: str
    path: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """An answer that is no JSON:API document."""

    content: bytes
    kind: str = "application/octet-stream"


Route = Callable[["Service", Request, re.Match[str]], Any]


@dataclass
class Service:
    """The service, its address, and what a test may look at or break."""

    store: Store
    routes: list[tuple[str, re.Pattern[str], Route]]
    work: Path
    """Folder that runs happen in."""
    address: str = ""
    certificates: Path = Path()
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    """Requests that no route answers: the pretence lacks something."""
    run_environment: dict[str, str] = field(default_factory=dict)
    """Variables of the machine that runs happen on."""
    threads: list[threading.Thread] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, method: str, path: str, status: int, times: int = 1, **headers: str) -> None:
        """Answer the next requests that match with an error."""
        self.faults.append(Fault(method, path, status, times, {k.replace("_", "-"): v for k, v in headers.items()}))

    def answer(self, request: Request) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and body."""
        with self.lock:
            self.requests.append((request.method, request.path))
            for fault in self.faults:
                if fault.times and fault.method == request.method and re.search(fault.path, request.path):
                    fault.times -= 1
                    return fault.status, fault.headers, _errors(fault.status, "injected")
            if request.path.startswith("/api/") and request.token not in self.store.tokens:
                return 401, {}, _errors(401, "unauthorized")
            for method, pattern, route in self.routes:
                if method == request.method and (match := pattern.fullmatch(request.path)):
                    try:
                        return 200, {}, route(self, request, match)
                    except Refusal as refusal:
                        return refusal.status, {}, _errors(refusal.status, refusal.title, refusal.detail)
            self.unknown.append((request.method, request.path))
            return 404, {}, _errors(404, "not found", "the fake service does not know this path")

    def caller(self, request: Request) -> str:
        """Return to whom the request's token was given."""
        return self.store.tokens[request.token]


def _errors(status: int, title: str, detail: str = "") -> dict[str, Any]:
    return {"errors": [{"status": str(status), "title": title, "detail": detail}]}


@contextmanager
def serving(folder: Path, routes: list[tuple[str, re.Pattern[str], Route]]) -> Iterator[Service]:
    """Serve an empty organization by HTTPS; certificates and runs are kept in `folder`."""
    service = Service(Store(), routes, folder / "runs")
    issuer = authority(folder, "hcp-authority")
    service.certificates = issuer[0]

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # header and body in one packet, or each answer waits for an acknowledgement

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = self.body()
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, headers, answer = service.answer(Request(self.command, parts.path, query, body, token))
            if isinstance(answer, Raw):
                content, kind = answer.content, answer.kind
            else:
                kind = "application/vnd.api+json"
                content = b"" if answer is None else json.dumps(answer).encode()
                status = 204 if answer is None and status == 200 else status
            # From 2.5 on Terraform saves plans: the service tells its version in every answer.
            known = {"TFP-API-Version": "2.6", "TFP-AppName": "HCP Terraform", "Content-Type": kind}
            self.answer(status, content, {**known, **headers})

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one

    with served(Handler, tls=certificate_for(folder, issuer, "localhost")) as address:
        service.address = f"https://localhost:{port_of(address)}"
        try:
            yield service
        finally:
            for run in service.threads:
                run.join()
