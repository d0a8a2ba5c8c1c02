"""Programs that go on after the command that started them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_STOP_S = 20


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on, each another."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(found.getsockname()[1]) for found in sockets]
    for found in sockets:
        found.close()
    return ports


def start(command: Sequence[str], log: Path, *, lasting: bool) -> "subprocess.Popen[bytes]":
    """Start a program that writes to `log`; a `lasting` one stays when this process ends, Ctrl-C included."""
    with log.open("ab") as file:
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=lasting, cwd=log.parent
        )


def runs(pid: int, program: str) -> bool:
    """Tell whether the process is there and is still `program`: numbers are given out again."""
    with contextlib.suppress(ChildProcessError):
        # A child that has ended is gone once somebody asks.
        os.waitpid(pid, os.WNOHANG)
    done = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.returncode == 0 and program in done.stdout and "<defunct>" not in done.stdout


def stop(pid: int, program: str) -> None:
    """End a process and wait until it is gone; one that does not listen is killed."""
    wanted = signal.SIGTERM
    until = time.monotonic() + _STOP_S
    while runs(pid, program):
        os.kill(pid, wanted)
        time.sleep(0.2)
        if time.monotonic() > until:
            wanted = signal.SIGKILL
