"""Counts the bytes that go to a server: a TCP relay in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BLOCK = 1 << 16


class Wire:
    """Relays connections to `target` and counts what is sent to it."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.sent_bytes = 0

    @property
    def name(self) -> str:
        """Host and port to connect to instead of the target."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def relaying(self) -> Iterator["Wire"]:
        """Relay while the block runs."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()

    def taken(self) -> int:
        """Return the bytes sent since the last call."""
        with self._lock:
            sent, self.sent_bytes = self.sent_bytes, 0
        return sent

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for pair in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, count: bool) -> None:
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                if count:
                    with self._lock:
                        self.sent_bytes += len(block)
                sink.sendall(block)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
