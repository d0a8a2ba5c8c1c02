"""Entry of a provider: ``__main__.py <executable of the mirror>``, or of the fork server: ``--forks <socket>``.

A plan starts dozens of these, so nothing is imported before it is needed, not even `socket`.
"""

import os
import sys

_FORKS = "REHEARSAL_FORKS"
_WATCH_SECONDS = 1.0


def _forked(provider: str) -> int | None:
    """Let the fork server serve with our streams; return its status, None where there is no such server."""
    # What `signal` and `socket` add is slow to import.
    import _signal  # type: ignore[import-not-found]  # noqa: PLC0415
    import _socket  # noqa: PLC0415

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(os.environ[_FORKS])
    except (KeyError, OSError):
        return None
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # Terraform passes an interrupt on as StopProvider
    umask, parent = os.umask(0), os.getppid()
    os.umask(umask)
    variables = (f"{name}={value}" for name, value in os.environ.items())
    content = os.fsencode("\0".join([provider, os.getcwd(), str(umask), str(os.getpgrp()), *variables]))  # noqa: PTH109
    content = len(content).to_bytes(4, "big") + content
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    sent = connection.sendmsg([content], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    connection.sendall(content[sent:])
    connection.settimeout(_WATCH_SECONDS)
    while os.getppid() == parent:
        try:
            status = connection.recv(1)
        except TimeoutError:
            continue
        except OSError:
            return 1
        return status[0] if status else 0
    return 1


def _serve() -> None:
    provider = os.path.basename(sys.argv[1]).split("_")[0].removeprefix("terraform-provider-")  # noqa: PTH119
    status = _forked(provider)
    if status is not None:
        sys.exit(status)
    sys.path[:0] = os.environ["REHEARSAL_PATH"].split(os.pathsep)
    from scripts.lab.rehearsal.fake_provider.protocol.server import serve  # noqa: PLC0415 - only where nobody forks

    serve(provider)


def _fork_providers() -> None:
    sys.path[:0] = os.environ["REHEARSAL_PATH"].split(os.pathsep)
    from pathlib import Path  # noqa: PLC0415 - as below: no provider needs it

    from scripts.lab.rehearsal.fake_provider.protocol.fork_server import fork_providers  # noqa: PLC0415

    fork_providers(Path(sys.argv[2]))


if sys.argv[1] == "--forks":
    _fork_providers()
else:
    _serve()
