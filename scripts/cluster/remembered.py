"""The contexts of clusters that this machine has reached, so that completions need not read a state first."""

import hashlib
import os
from pathlib import Path

from scripts.core.workspace import ROOT, user_cache


def remember(environment: str, context: str, folder: Path | None = None) -> None:
    """Keep the context of an environment of this checkout; a cache that cannot be written stays as it is."""
    file = _file(environment, folder)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(context, "utf-8")
        fresh.replace(file)
    except OSError:
        return


def remembered(environment: str, folder: Path | None = None) -> str:
    """Return the name of the context; empty where the cluster was never reached from here."""
    try:
        return _file(environment, folder).read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def _file(environment: str, folder: Path | None) -> Path:
    key = hashlib.sha256(f"{ROOT}\0{environment}".encode()).hexdigest()[:16]
    return (folder or user_cache()) / "contexts" / key
