"""Programs that a test starts, asks, stops, kills and starts again."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from stacks.platform.common.catalogue import images

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-platform"
"""Where `scripts/lab/install-live` puts what the live tests run, by version."""
LIVE = CACHE / "live"
DEBIAN = LIVE / "debian-trixie"
"""Root folder of the Debian release whose PostgreSQL has the version that is deployed, with pgvector and Valkey."""


def version(image: str) -> str:
    """Return the version that an image of `helm/images.yaml` is pinned to."""
    return images()[image].tag.removeprefix("v")


def installed_version(name: str) -> str:
    """Return a version that stands in `scripts/lab/install-live` itself."""
    text = (Path(__file__).parents[3] / "scripts" / "lab" / "install-live").read_text("utf-8")
    found = re.search(rf"^{name}=(\S+)", text, re.MULTILINE)
    assert found, f"install-live names no version of {name}"
    return found[1]


def litellm_python() -> Path:
    """Python of the environment with the pinned LiteLLM."""
    return LIVE / f"litellm-{version('litellm/proxy')}" / "bin" / "python"


def open_webui_python() -> Path:
    """Python of the environment with the pinned Open WebUI."""
    return LIVE / f"open-webui-{version('open-webui/server')}" / "bin" / "python"


def gguf_python() -> Path:
    """Python of the environment that writes a model for Ollama."""
    return LIVE / f"gguf-{installed_version('gguf')}" / "bin" / "python"


def in_debian(folder: Path, user: str, *command: str) -> list[str]:
    """Return the command line that runs `command` in that root folder, where `folder` is `/mnt`."""
    script = (
        'mount --bind "$1" "$2/mnt" && mount --rbind /dev "$2/dev" && mount -t proc proc "$2/proc" && '
        'root=$2 user=$3 && shift 3 && exec chroot --userspec="$user" "$root" "$@"'
    )
    mounts = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    return [*mounts, str(folder), str(DEBIAN), user, *command]


@dataclass
class Program:
    """One process, with the file that it writes to."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    address: str
    port: int
    input: str = ""
    """What it reads from standard input."""
    health: str = ""
    """Path that answers 200 once it is ready; without one, an open port says so."""
    start_s: float = 240
    stop_s: float = 60
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    starts: int = 0

    @property
    def log(self) -> str:
        """Everything that it wrote."""
        path = self.folder / f"{self.name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start(self, *, wait: bool = True) -> None:
        """Start it and, if wanted, wait until it is ready. Raises AssertionError with its log when it ends first."""
        self.starts += 1
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command],
                env=dict(self.environment),
                stdin=subprocess.PIPE if self.input else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
            )
        if self.input:
            assert self.process.stdin
            self.process.stdin.write(self.input.encode())
            self.process.stdin.close()
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        assert self.process
        running = self.process

        def ready() -> bool:
            assert running.poll() is None, f"{self.name} ended:\n{self.log[-6000:]}"
            return self.answers()

        wait_for(ready, self.start_s, lambda: f"{self.name} does not start:\n{self.log[-6000:]}")

    def answers(self) -> bool:
        """Return whether it is ready now."""
        try:
            if not self.health:
                with socket.create_connection((self.address, self.port), timeout=2):
                    return True
            connection = http.client.HTTPConnection(self.address, self.port, timeout=10)
            connection.request("GET", self.health)
            status = connection.getresponse().status
            connection.close()
        except (OSError, http.client.HTTPException):
            return False
        return status == 200

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it as Kubernetes does: asked first, killed when it takes too long."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.stop_s)
        self.kill()

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator["Program"]:
        """Run it for a while."""
        try:
            self.start()
            yield self
        finally:
            self.stop()


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Return once `condition` holds. Raises AssertionError with the text of `otherwise` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)
