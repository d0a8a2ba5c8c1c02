"""A process that has imported everything, and forks a provider whenever Terraform starts one.

Terraform starts a provider three times for each plan, and importing gRPC was most of what each start took. What
Terraform starts (`__main__.py`) hands its streams, folder and variables over, and stays as long as the forked provider.
It serves by itself where nobody answers here. `start` begins such a process, which ends with the one that began it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from select import select
from typing import Any, NoReturn

VARIABLE = "REHEARSAL_FORKS"
"""Path of the socket, for providers."""
_STREAMS = 3


@cache
def start(python: str, main: str, path: str) -> str:
    """Start the process of this one, once; return the path of its socket, which may be there only after a moment.

    `main` is the entry of a provider and `path` where it imports from.
    """
    folder = Path(tempfile.mkdtemp(prefix="tff-"))
    subprocess.Popen(  # noqa: S603 - our own program
        [python, "-S", "-s", main, "--forks", str(folder / "s")],
        stdin=subprocess.PIPE,  # it ends with us, when this is closed
        stdout=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "REHEARSAL_PATH": path, "GRPC_VERBOSITY": "NONE"},
        start_new_session=True,
    )
    return str(folder / "s")


def fork_providers(path: Path) -> None:
    """Fork a provider for each connection to the socket `path`, until standard input ends."""
    from ruamel.yaml import YAML  # noqa: F401, PLC0415 - as all below: a provider finds it imported

    from scripts.lab.rehearsal.schemas import pinned  # noqa: PLC0415

    from .. import cluster_service, entra_service, passwords  # noqa: F401, PLC0415
    from ..azure import service as azure_service  # noqa: F401, PLC0415
    from . import server  # noqa: F401, PLC0415

    pinned()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forked ones
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(256)
        watched: list[Any] = [sys.stdin.fileno(), listening]
        while watched[0] not in (ready := select(watched, [], [])[0]) or os.read(watched[0], 1):
            if listening in ready:
                connection, _ = listening.accept()
                if os.fork() == 0:
                    listening.close()
                    _become_provider(connection)
                connection.close()
    path.unlink()
    path.parent.rmdir()


def _become_provider(connection: socket.socket) -> NoReturn:
    """Take over what Terraform's child has, and serve; the status goes to it as a byte, none where all went well."""
    from .server import serve  # noqa: PLC0415 - imported above

    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        content, streams, _, _ = socket.recv_fds(connection, 1 << 20, _STREAMS)
        size = int.from_bytes(content[:4], "big")
        content = content[4:]
        while len(content) < size:
            content += connection.recv(size - len(content))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        provider, folder, umask, group, *variables = os.fsdecode(content).split("\0")
        os.chdir(folder)
        os.umask(int(umask))
        os.environ.clear()
        os.environ.update({name: value for name, _, value in (text.partition("=") for text in variables)})
        serve(provider, connection, group=int(group))
    except SystemExit as ended:
        print(ended, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - whatever it is, Terraform shows it and this process ends
        traceback.print_exc()
    with suppress(OSError):
        connection.sendall(bytes([status]))
    os._exit(status)
