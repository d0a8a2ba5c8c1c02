"""trust-manager of `go.mod` beside this file, built once per machine and version and kept outside the repository."""

import hashlib
import shutil
import sys
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache
from scripts.lab.kube.programs import alone, go

MODULE = Path(__file__).parent
_SOURCES = ("go.mod", "go.sum", "main.go")


def trust_manager() -> Path:
    """Return trust-manager, built first where it is missing: two CPU minutes. A second builder waits for the first.

    Raises OperatorError where Go is missing or the build fails.
    """
    key = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in _SOURCES)).hexdigest()[:16]
    folder = user_cache() / "tools" / f"trust-{key}"
    found = folder / "trust"
    if found.is_file():
        return found
    if shutil.which("go") is None:
        raise OperatorError(
            "Go is not on PATH, and trust-manager is not built yet", "install Go 1.26 or newer", ExitCode.NOT_READY
        )
    with alone(folder):
        if not found.is_file():
            go("build", "-trimpath", "-ldflags", "-s -w", "-o", f"{folder}/", ".", module=MODULE)
    return found


if __name__ == "__main__":
    try:
        trust_manager()
    except OperatorError as error:
        sys.exit(f"{error.message}; {error.fix}")
