"""One program of a Go module in this repository, built once per machine and version, outside the repository."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache
from scripts.lab.kube.programs import alone, go


def built(module: Path, *, title: str, sources: Sequence[str] = ("go.mod", "go.sum", "main.go")) -> Path:
    """Return the program of the module in folder `module`, which has its name; built first where it is missing.

    A second builder waits for the first. Raises OperatorError where Go is missing or the build fails; `title` names
    the program there.
    """
    key = hashlib.sha256(b"".join((module / name).read_bytes() for name in sources)).hexdigest()[:16]
    folder = user_cache() / "tools" / f"{module.name}-{key}"
    found = folder / module.name
    if found.is_file():
        return found
    if shutil.which("go") is None:
        raise OperatorError(
            f"Go is not on PATH, and {title} is not built yet", "install Go 1.26 or newer", ExitCode.NOT_READY
        )
    with alone(folder):
        if not found.is_file():
            go("build", "-trimpath", "-ldflags", "-s -w", "-o", f"{folder}/", ".", module=module)
    return found
