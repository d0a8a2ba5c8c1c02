"""Takes traces in Opik's place, and notes them as they arrive."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.serving.model_server import serving


@dataclass
class TraceReceiver:
    """What arrived, by kind (`traces` or `spans`)."""

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: int = 0
    status: int = 204
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, kind: str, text: str, count: int = 1, seconds: float = 90) -> list[dict[str, Any]]:
        """Return items of a kind whose input contains `text`, once there are `count`."""

        def found() -> list[dict[str, Any]]:
            return [item for item in self.items.get(kind, []) if text in json.dumps(item.get("input"))]

        with self.arrived:
            self.arrived.wait_for(lambda: len(found()) >= count, seconds)
            return found()


@contextmanager
def receiving_traces(address: str, port: int) -> Iterator[TraceReceiver]:
    """Serve Opik's batch interface below `/api`."""
    receiver = TraceReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with receiver.arrived:
                if receiver.status == 204:
                    for kind, items in json.loads(body or b"{}").items():
                        receiver.items.setdefault(kind, []).extend(items)
                else:
                    receiver.refused += 1
                receiver.arrived.notify_all()
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments: object) -> None:
            pass

    with serving(Handler, address, port):
        yield receiver
