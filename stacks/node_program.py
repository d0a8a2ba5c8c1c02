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
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import BinaryIO

from .fast_bindings import bundled_node

CHANNEL = 3
"""The file descriptor on which the program reads and writes."""
EXIT_LIMIT_S = 5
_EMBEDDED = Path("_embedded", "jsii")
_PREFIX = "lib__"
"""Begins the names of the program's files in the package jsii; the program knows them without it."""
_FILES = ("program.js", "runtime-index-worker.js")


@dataclass(frozen=True, slots=True)
class Program:
    """The running program; what it prints goes where Python's own output goes."""

    pid: int
    folder: Path
    channel: socket.socket
    stdin: BinaryIO
    stdout: BinaryIO

    def stop(self) -> None:
        """Let the program leave, and wait until it has. Has no effect when it was stopped before."""
        atexit.unregister(self.stop)
        if self.stdin.closed:
            return
        with suppress(OSError):
            self.stdin.write(b'{"exit":0}\n')
            self.stdin.close()
        self.channel.settimeout(EXIT_LIMIT_S)
        try:
            while self.channel.recv(1 << 16):
                pass
        except OSError:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self.stdout.close()
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
    program = Program(pid, folder, ours, ours.makefile("wb"), ours.makefile("rb"))
    atexit.register(program.stop)
    return program


def take() -> Program | None:
    """Return the started program to the one who talks to it, None where there is none."""
    return _started.pop() if _started else None
