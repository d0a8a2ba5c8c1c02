"""The API over a jump host: one SSH connection, which listens on this machine alone for as long as the command runs.

The user's own `ssh` does it, with its configuration, agent and known hosts. kubectl and the Python client use a port
that leads to the API and nowhere else; Terraform's providers, whose address is part of the configuration, use a SOCKS
proxy by KUBE_PROXY_URL.
"""

import atexit
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scripts.core.errors import ExitCode, OperatorError

_READY = "llmctl-is-through"
# The connection has to outlive Ctrl-C, since Terraform ends gracefully through it, and to end with this program however
# that ends: the shell holds the other end of a pipe. It stays in the terminal's session, so that ssh can ask there.
_HELD = """trap '' INT
ssh "$@" </dev/null &
ssh=$!
exec >/dev/null
read -r _
kill "$ssh" 2>/dev/null
wait"""
_OPTIONS = (
    "-N", "-T", "-a", "-x",
    "-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-o", "ExitOnForwardFailure=yes",
    "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "ConnectTimeout=30",
    "-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {_READY}",
)  # fmt: skip
_PORTS_TRIED = 5


@dataclass
class JumpHost:
    """A connection to a jump host. Raises OperatorError (NOT_READY) where ssh cannot have it."""

    host: str
    options: Sequence[str] = ()
    """Further arguments of ssh."""
    _folder: Path = field(init=False)
    _process: "subprocess.Popen[str]" = field(init=False)
    _forwards: dict[tuple[str, str], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="llmctl-"))
        errors = self._folder / "errors"
        with errors.open("w", encoding="utf-8") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own ssh; no value is part of the script
                    ["sh", "-c", _HELD, "sh", *_OPTIONS, "-S", str(self._socket), *self.options, self.host],  # noqa: S607
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            except OSError as error:
                raise OperatorError(f"no shell can be started: {error}", code=ExitCode.NOT_READY) from None
        assert self._process.stdout is not None
        through = any(line.strip() == _READY for line in self._process.stdout)
        if not through:
            said = [line for line in errors.read_text("utf-8", "replace").splitlines() if line.strip()]
            self.close()
            raise OperatorError(
                f"the jump host {self.host} cannot be used: {said[-1] if said else 'ssh ended'}",
                f"`ssh {self.host}` has to log in from here without a question; operators.jump_host names it",
                ExitCode.NOT_READY,
            )

    @property
    def _socket(self) -> Path:
        return self._folder / "ssh"

    def port_to(self, url: str) -> int:
        """Return the port of this machine that leads to the host of `url`. Raises OperatorError."""
        parts = urlsplit(url)
        return self._forward("-L", f"{parts.hostname}:{parts.port or 443}")

    def socks(self) -> int:
        """Return the port of a SOCKS proxy; names are looked up at the jump host. Raises OperatorError."""
        return self._forward("-D", "")

    def _forward(self, kind: str, target: str) -> int:
        if known := self._forwards.get((kind, target)):
            return known
        said = ""
        for _ in range(_PORTS_TRIED):
            port = _free_port()
            place = f"127.0.0.1:{port}{f':{target}' if target else ''}"
            done = subprocess.run(  # noqa: S603
                ["ssh", "-S", str(self._socket), "-O", "forward", kind, place, self.host],  # noqa: S607
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if not done.returncode:
                self._forwards[(kind, target)] = port
                return port
            said = done.stderr.strip()
        raise OperatorError(f"ssh cannot listen for the jump host {self.host}: {said}", code=ExitCode.NOT_READY)

    def close(self) -> None:
        """End the connection."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)


_open: dict[str, JumpHost] = {}
_lock = threading.Lock()


def connected(host: str) -> JumpHost:
    """Return the connection to a jump host, which all of a command share and which ends with it.

    Raises OperatorError (NOT_READY).
    """
    with _lock:
        if host not in _open:
            _open[host] = JumpHost(host)
            atexit.register(_open[host].close)
        return _open[host]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
