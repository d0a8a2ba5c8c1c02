"""Web servers on this machine that answer as a test tells them, by HTTP and HTTPS."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

Reply = tuple[int, dict[str, str], bytes]
Answering = Callable[[str, str], Reply]
"""From host and path to the reply."""


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that keeps its requests to itself."""

    disable_nagle_algorithm = True
    """Head and body are sent apart: the body would wait 40 ms for the client to confirm the head."""

    def body(self) -> bytes:
        """Return what the request carries."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer with a whole body."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status: int, content: object) -> None:
        """Answer with JSON."""
        self.answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, *_arguments: object) -> None:
        """Clients that leave early are part of the tests."""


@contextmanager
def served(
    handler: type[BaseHTTPRequestHandler], address: str = "127.0.0.1", port: int = 0, *, tls: SSLContext | None = None
) -> Iterator[str]:
    """Serve in a thread, without a port given on a free one; gives over host and port."""
    with _Server((address, port), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"{address}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def port_of(address: str) -> int:
    """Return the port of what `served` gives over."""
    return int(address.rpartition(":")[2])


@contextmanager
def serving(
    answer: Answering, tls: SSLContext | None = None, *, seen: list[dict[str, str]] | None = None
) -> Iterator[int]:
    """Serve on a free port of this machine; gives over the port, and notes headers in `seen`."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append(dict(self.headers))
            status, headers, body = answer(self.headers.get("Host", "").split(":")[0], self.path)
            self.answer(status, body, headers)

    with served(Handler, tls=tls) as address:
        yield port_of(address)


def authority(folder: Path, common_name: str) -> tuple[Path, Path]:
    """Make a certificate authority; return certificate and key."""
    certificate, key = folder / f"{common_name}.pem", folder / f"{common_name}.key"
    _openssl("req", "-x509", *_KEY, "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={common_name}",
             "-days", "2", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    return certificate, key


def certificate_for(folder: Path, issuer: tuple[Path, Path], *names: str, days: int = 2) -> SSLContext:
    """Return a server's context with a certificate for `names`."""
    certificate, key = folder / f"{names[0]}.pem", folder / f"{names[0]}.key"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    _openssl("req", "-x509", *_KEY, "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={names[0]}",
             "-days", str(days), "-addext", f"subjectAltName={alternatives}",
             "-addext", "basicConstraints=critical,CA:FALSE",
             "-CA", str(issuer[0]), "-CAkey", str(issuer[1]))  # fmt: skip
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
