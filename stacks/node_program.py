"""jsii's program in Node, started before Python needs it and without a second Node process in between.

The published client first imports what it needs itself, then starts a Node process that starts the one with the program
and copies every line between the two.
"""

import atexit
import os
import platform
import shutil
import signal
import socket
import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

from .fast_bindings import bundled_node

CHANNEL = 3
"""The file descriptor on which the program reads and writes."""
EXIT_LIMIT_S = 5
_EMBEDDED = Path("_embedded", "jsii")
_PREFIX = "lib__"
"""Begins the names of the program's files in the package jsii; the program knows them without it."""
_FILES = ("program.js", "runtime-index-worker.js")


class Channel:
    """Lines to the program and back. Writing never waits for a program that waits for its answers to be read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")
        self._arrived: deque[bytes] = deque()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._incoming.closed

    def write(self, data: bytes) -> None:
        """Send `data`; answers that are in the way are kept for `readline`. Raises OSError when the program is gone."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._connection.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                with DefaultSelector() as either:
                    either.register(self._connection, EVENT_READ | EVENT_WRITE)
                    ((_, ready),) = either.select()
                if ready & EVENT_READ:
                    self._arrived.append(self._incoming.readline())

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


@dataclass(frozen=True, slots=True)
class Program:
    """The running program; what it prints goes where Python's own output goes."""

    pid: int
    folder: Path
    channel: Channel

    @property
    def stdin(self) -> Channel:
        """The channel, under the name by which the published client writes."""
        return self.channel

    @property
    def stdout(self) -> Channel:
        """The channel, under the name by which the published client reads."""
        return self.channel

    def stop(self) -> None:
        """Let the program leave, and wait until it has. Has no effect when it was stopped before."""
        atexit.unregister(self.stop)
        if self.channel.closed:
            return
        with suppress(OSError):
            self.channel.write(b'{"exit":0}\n')
        if not self.channel.wait_for_end(EXIT_LIMIT_S):
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self.channel.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_started: list[Program] = []


def start() -> None:
    """Start the program, unless it is to be started as published.

    That is so when the caller names a program, or another Node than the bundled one, whose version the published
    client judges; where processes cannot be started in this way; and when the package jsii looks different.
    """
    node, spec = os.environ.get("JSII_NODE", ""), PathFinder.find_spec("jsii")
    if "JSII_RUNTIME" in os.environ or node != str(bundled_node()) or not hasattr(os, "posix_spawn"):
        return
    if spec is None or spec.origin is None:
        return
    folder = Path(tempfile.mkdtemp(prefix="jsii-program-"))
    try:
        for name in _FILES:
            shutil.copyfile(Path(spec.origin).parent / _EMBEDDED / f"{_PREFIX}{name}", folder / name)
        _started.append(_spawn(node, folder))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _spawn(node: str, folder: Path) -> Program:
    ours, theirs = socket.socketpair()
    with theirs:
        pid = os.posix_spawn(
            node,
            [node, "--max-old-space-size=4069", "--preserve-symlinks", str(folder / _FILES[0])],
            os.environ | {"JSII_AGENT": f"Python/{platform.python_version()}"},
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL)],
        )
    program = Program(pid, folder, Channel(ours))
    atexit.register(program.stop)
    return program


def take() -> Program | None:
    """Return the started program to the one who talks to it, None where there is none."""
    return _started.pop() if _started else None
