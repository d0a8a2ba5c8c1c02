"""jsii's program in Node, started without the second Node process that the published client puts in between."""

import os
import platform
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHANNEL = 3
"""The file descriptor on which the program reads and writes."""
EXIT_LIMIT_S = 5


@dataclass(frozen=True, slots=True)
class Program:
    """The running program; what it prints goes where Python's own output goes."""

    pid: int
    channel: socket.socket
    stdin: BinaryIO
    stdout: BinaryIO

    @classmethod
    def start(cls, node: str, program: Path) -> "Program":
        """Start `program` in the Node binary `node`. Raises OSError when that cannot be started."""
        ours, theirs = socket.socketpair()
        with theirs:
            pid = os.posix_spawn(
                node,
                [node, "--max-old-space-size=4069", "--preserve-symlinks", str(program)],
                os.environ | {"JSII_AGENT": f"Python/{platform.python_version()}"},
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CHANNEL)],
            )
        return cls(pid, ours, ours.makefile("wb"), ours.makefile("rb"))

    def stop(self) -> None:
        """Let the program leave, and wait until it has. Has no effect when it was stopped before."""
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
