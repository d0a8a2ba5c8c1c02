"""A registry of models in the place of registry.ollama.ai, which hands out what a store of Ollama holds."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served

HOST = "registry.ollama.ai"
BLOBS = "blobs.ollama.example"
"""Where the registry sends a client for weights, as the real one does: Ollama asks another host for parts of them."""


@dataclass
class Registry:
    """What is handed out, and what was asked for."""

    store: Path
    """A folder as `OLLAMA_MODELS` names one."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and range of each blob that was asked for."""
    stalls_after: int | None = None
    """Bytes of a large blob after which nothing comes any more."""
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self.path.removeprefix("/v2/").split("/")
        if len(parts) != 4:
            return self._send(404, b"")
        namespace, name, kind, reference = parts
        if kind == "manifests":
            path = self.registry.store / "manifests" / HOST / namespace / name / reference
            return self._send(200, path.read_bytes()) if path.is_file() else self._send(404, b'{"errors":[]}')
        return self._blob((self.registry.store / "blobs" / reference.replace(":", "-")).read_bytes())

    def _blob(self, data: bytes) -> None:
        if self.command == "GET" and self.headers["Host"] != BLOBS:
            return self._send(307, b"", {"Location": f"https://{BLOBS}{self.path}"})
        wanted = self.headers.get("Range", "")
        if self.command == "GET":
            self.registry.asked.append((self.path, wanted))
        if not wanted:
            return self._send(200, data)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last or len(data) - 1) + 1]
        return self._send(206, part, {"Content-Range": f"bytes {first}-{last}/{len(data)}"})

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        stalls = self.registry.stalls_after
        if stalls is not None and len(data) > stalls:
            self.wfile.write(data[:stalls])
            self.wfile.flush()
            self.registry.stalled.set()
            self.registry.go_on.wait(PATIENCE_S)
            self.close_connection = True
            return
        self.wfile.write(data)


@contextmanager
def serving_registry(store: Path, address: str, tls: ssl.SSLContext) -> Iterator[Registry]:
    """Serve a store's models at an address of this machine."""
    registry = Registry(store)
    with served(type("Handler", (_Handler,), {"registry": registry}), address, 443, tls=tls):
        try:
            yield registry
        finally:
            registry.go_on.set()
