"""Reads and writes lock files: whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.image_lock import LockedImage, LockError, read_lock, render_lock


def locked_images(path: Path) -> dict[str, LockedImage]:
    """Return what the lock file says. Raises OperatorError when it is damaged."""
    try:
        return read_lock(path)
    except LockError as error:
        raise OperatorError(str(error), code=ExitCode.SETTINGS) from None


def write_lock(path: Path, images: Mapping[str, LockedImage], serial: int = 0) -> bool:
    """Replace the lock file in one step, so that readers see the old one or the new one; returns whether it changed."""
    text = render_lock(images, serial)
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    write_atomically(path, text)
    return True


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step, safe against a crash of the machine."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode if path.exists() else 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
