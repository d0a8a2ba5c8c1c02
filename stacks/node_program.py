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
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from io import RawIOBase
from pathlib import Path
from threading import Thread

from .fast_bindings import bundled_node
from .node_channel import Channel

CHANNEL = 3
"""The file descriptor on which the program reads and writes."""
EXIT_LIMIT_S = 5
_EMBEDDED = Path("_embedded", "jsii")
_PREFIX = "lib__"
"""Begins the names of the program's files in the package jsii; the program knows them without it."""
_FILES = ("program.js", "runtime-index-worker.js")
_OUTPUT = {1: "stdout", 2: "stderr"}


@dataclass(frozen=True, slots=True)
class Program:
    """The running program."""

    pid: int
    folder: Path
    channel: Channel
    forwarders: list[Thread]
    """Pass on what the program prints; Node would make Python's own descriptors non-blocking, for Python too."""

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
        told = self.channel.whole
        with suppress(OSError):
            self.channel.write(b'{"exit":0}\n' if told else b"")
        if not (told and self.channel.wait_for_end(EXIT_LIMIT_S)):
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        for forwarder in self.forwarders:
            forwarder.join(EXIT_LIMIT_S)
        self.channel.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Started:
    """At most one program is started by a process."""

    attempted = False
    program: Program | None = None


def start() -> None:
    """Start the program, unless it is to be started as published. Has no effect the second time.

    It is started as published when the caller names a program, or another Node than the bundled one, whose version the
    published client judges; where processes cannot be started in this way; and when the package jsii looks different.
    """
    if _Started.attempted:
        return
    _Started.attempted = True
    node, spec = os.environ.get("JSII_NODE", ""), PathFinder.find_spec("jsii")
    if "JSII_RUNTIME" in os.environ or node != str(bundled_node()) or not hasattr(os, "posix_spawn"):
        return
    if spec is None or spec.origin is None:
        return
    folder = Path(tempfile.mkdtemp(prefix="jsii-program-"))
    try:
        for name in _FILES:
            shutil.copyfile(Path(spec.origin).parent / _EMBEDDED / f"{_PREFIX}{name}", folder / name)
        _Started.program = _spawn(node, folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def started() -> Program | None:
    """Return the started program, None where there is none."""
    return _Started.program


def _spawn(node: str, folder: Path) -> Program:
    with ExitStack() as theirs, ExitStack() as ours:
        connection, far_end = socket.socketpair()
        ours.enter_context(connection)
        theirs.enter_context(far_end)
        places = {CHANNEL: far_end.fileno()}
        pipes = {}
        for place in _OUTPUT:
            read, write = os.pipe()
            pipes[place] = ours.enter_context(os.fdopen(read, "rb", buffering=0))
            places[place] = theirs.enter_context(os.fdopen(write, "wb", buffering=0)).fileno()
        if min(places.values()) < CHANNEL:
            raise OSError("a standard stream is closed, whose place another descriptor has taken")
        pid = os.posix_spawn(
            node,
            [node, "--max-old-space-size=4069", "--preserve-symlinks", str(folder / _FILES[0])],
            os.environ | {"JSII_AGENT": f"Python/{platform.python_version()}"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                *((os.POSIX_SPAWN_DUP2, places[place], place) for place in sorted(places)),
            ],
            setpgroup=0,  # Ctrl-C is for Python, which then lets Node leave.
        )
        ours.pop_all()
    forwarders = [Thread(target=_forward, args=(pipes[place], name), daemon=True) for place, name in _OUTPUT.items()]
    for forwarder in forwarders:
        forwarder.start()
    program = Program(pid, folder, Channel(connection), forwarders)
    atexit.register(program.stop)
    return program


def _forward(pipe: RawIOBase, name: str) -> None:
    with pipe:
        while printed := pipe.read(1 << 16):
            stream = getattr(sys, name)
            with suppress(OSError, ValueError):
                stream.write(printed.decode(errors="replace"))
                stream.flush()
