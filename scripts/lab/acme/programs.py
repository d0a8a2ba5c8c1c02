"""The programs of `go.mod` beside this file, built once per machine and version and kept outside the repository."""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache
from scripts.lab.kube.programs import alone, go

MODULE = Path(__file__).parent
_PEBBLE = "github.com/letsencrypt/pebble/v2/cmd"
_PACKAGES = (".", f"{_PEBBLE}/pebble", f"{_PEBBLE}/pebble-challtestsrv")
_SOURCES = ("go.mod", "go.sum", "main.go")


@dataclass(frozen=True)
class Programs:
    """Where the programs are."""

    folder: Path

    @property
    def cert_manager(self) -> str:
        """cert-manager's controllers (`main.go`)."""
        return str(self.folder / "acme")

    @property
    def pebble(self) -> str:
        """Let's Encrypt's ACME server for tests: https://github.com/letsencrypt/pebble."""
        return str(self.folder / "pebble")

    @property
    def name_server(self) -> str:
        """A DNS server that answers every name with this machine."""
        return str(self.folder / "pebble-challtestsrv")

    @property
    def complete(self) -> bool:
        """Whether all are built."""
        return all(Path(program).is_file() for program in (self.cert_manager, self.pebble, self.name_server))


def build() -> Programs:
    """Build what is missing: 3 CPU minutes the first time. A second builder waits for the first.

    Raises OperatorError where Go is missing or the build fails.
    """
    key = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    found = Programs(user_cache() / "tools" / f"acme-{key}")
    if found.complete:
        return found
    if shutil.which("go") is None:
        raise OperatorError(
            "Go is not on PATH, and the ACME server is not built yet", "install Go 1.26 or newer", ExitCode.NOT_READY
        )
    with alone(found.folder):
        if not found.complete:
            go("build", "-trimpath", "-ldflags", "-s -w", "-o", f"{found.folder}/", *_PACKAGES, module=MODULE)
    return found


if __name__ == "__main__":
    try:
        build()
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")
