"""Takes traces in Opik's place, and notes them as they arrive."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served


@dataclass
class TraceReceiver:
    """What arrived, by kind (`traces` or `spans`)."""

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: int = 0
    status: int = 204
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, kind: str, text: str, count: int = 1, seconds: float = PATIENCE_S) -> list[dict[str, Any]]:
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

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with receiver.arrived:
                if receiver.status == 204:
                    for kind, items in json.loads(body or b"{}").items():
                        receiver.items.setdefault(kind, []).extend(items)
                else:
                    receiver.refused += 1
                receiver.arrived.notify_all()
            self.answer(receiver.status)

        def do_GET(self) -> None:
            self.answer(200, b"{}")

    with served(Handler, address, port):
        yield receiver
