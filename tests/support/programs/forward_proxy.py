"""A forward proxy that a company's network has: it opens connections by CONNECT, and notes to whom."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served

CHUNK = 65_536


@dataclass
class ForwardProxy:
    """Its address, and what it was asked for."""

    url: str = ""
    opened: list[str] = field(default_factory=list)
    """`host:port` of each CONNECT."""
    plain: list[str] = field(default_factory=list)
    """Method and address of each request that was sent to it unencrypted."""


@contextmanager
def forward_proxy(address: str = "127.0.0.1") -> Iterator[ForwardProxy]:
    """Run a proxy on a free port of `address`."""
    found = ForwardProxy()

    class Handler(QuietHandler):
        def do_CONNECT(self) -> None:
            found.opened.append(self.path)
            host, _, port = self.path.rpartition(":")
            try:
                target = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
            except OSError as error:
                self.answer(502, str(error).encode())
                return
            with target:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pass, args=(target, self.connection), daemon=True)
                back.start()
                _pass(self.connection, target)
                back.join()
            self.close_connection = True

        def _refuse(self) -> None:
            found.plain.append(f"{self.command} {self.path}")
            self.answer(403)

        do_GET = do_POST = do_HEAD = _refuse

    with served(Handler, address) as where:
        found.url = f"http://{where}"
        yield found


def _pass(source: socket.socket, target: socket.socket) -> None:
    """Pass what comes until the end, and then the end itself."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
