"""The line to jsii's program in Node."""

import socket
from collections import deque
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector


class Channel:
    """Lines to the program and back. Writing never waits for a program that waits for its answers to be read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")
        self._arrived: deque[bytes] = deque()
        self.whole = True
        """Whether everything that was begun to be written is written, so that the program can make sense of more."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._incoming.closed

    def write(self, data: bytes) -> None:
        """Send `data`; answers that are in the way are kept for `readline`. Raises OSError when the program is gone."""
        rest = memoryview(data)
        self.whole = False
        while rest:
            try:
                rest = rest[self._connection.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                with DefaultSelector() as either:
                    either.register(self._connection, EVENT_READ | EVENT_WRITE)
                    ((_, ready),) = either.select()
                if ready & EVENT_READ:
                    self._arrived.append(self._incoming.readline())
        self.whole = True

    def flush(self) -> None:
        """Nothing is held back."""

    def readline(self) -> bytes:
        """Return the program's next line, empty when it has ended. Raises OSError when it was cut off."""
        return self._arrived.popleft() if self._arrived else self._incoming.readline()

    def wait_for_end(self, limit_s: float) -> bool:
        """Drop what the program still says, and tell whether it has ended within `limit_s` of silence."""
        self._connection.settimeout(limit_s)
        try:
            while self._connection.recv(1 << 16):
                pass
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._incoming.close()
        self._connection.close()
