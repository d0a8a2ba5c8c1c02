"""A real registry on loopback, and a builder with storage of its own, for benchmarks and tests.

The registry is Debian's `docker-registry`, CNCF Distribution's `registry`, or `crane registry serve`.
"""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 20


class RealRegistry:
    """One registry process; its data outlives it, so that it can be stopped and started again."""

    def __init__(self, program: str, folder: Path, htpasswd: str = "") -> None:
        self.folder = folder
        self.data = folder / "data"
        self._program = program
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.data.mkdir(parents=True)
        auth = ""
        if htpasswd:
            (folder / "htpasswd").write_text(htpasswd)
            auth = f"auth: {{htpasswd: {{realm: test, path: {folder / 'htpasswd'}}}}}\n"
        (folder / "config.yml").write_text(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {self.data}}}\n  delete: {{enabled: true}}\n"
            f"http: {{addr: '127.0.0.1:{self._port}', secret: test}}\n{auth}"
        )

    @property
    def name(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and return once it answers. Raises RuntimeError when it does not."""
        if self._program.endswith("crane"):
            command = [self._program, "registry", "serve", "--address", self.name, "--disk", str(self.data)]
        else:
            command = [self._program, "serve", str(self.folder / "config.yml")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stored_bytes(self) -> int:
        """Return the size of everything it keeps."""
        return sum(file.stat().st_size for file in self.data.rglob("*") if file.is_file())

    def uploading(self) -> bool:
        """Tell whether an upload is in progress (CNCF Distribution keeps it in a file)."""
        try:
            return any(file.stat().st_size > 0 for file in self.data.rglob("_uploads/*/data"))
        except FileNotFoundError:
            return False

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.name, timeout=1)
        try:
            connection.request("GET", "/v2/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.02)
            return False
        finally:
            connection.close()
        return True


def registry_program() -> str | None:
    """Return a registry that is installed, or None."""
    return next((found for name in ("docker-registry", "registry", "crane") if (found := shutil.which(name))), None)


@contextmanager
def running(folder: Path, htpasswd: str = "") -> Iterator[RealRegistry]:
    """Run a registry with its data in `folder`. Raises RuntimeError when none is installed."""
    program = registry_program()
    if program is None:
        raise RuntimeError("no registry program is installed: docker-registry, registry or crane")
    registry = RealRegistry(program, folder, htpasswd)
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()


def buildah_environment(folder: Path) -> dict[str, str]:
    """Return variables that keep buildah's storage in `folder` and need no privilege beyond a plain root or user."""
    folder.mkdir(parents=True, exist_ok=True)
    storage, policy = folder / "storage.conf", folder / "policy"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder / "graph"}"\nrunroot = "{folder / "run"}"\n')
    policy.mkdir(exist_ok=True)
    return {
        "CONTAINERS_STORAGE_CONF": str(storage),
        "STORAGE_DRIVER": "vfs",
        "BUILDAH_ISOLATION": "chroot",
        "PATH": os.environ["PATH"],
    }
