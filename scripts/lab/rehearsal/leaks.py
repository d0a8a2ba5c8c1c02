"""Finds secret values in files that must not hold any."""

import sqlite3
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

VAULT = "vault.db"
"""Where the fake vault keeps what a real one would; with its journal the only files that may hold a secret."""


NOTHING = "{}"
"""What a secret holds that waits for the cluster to keep something in it (`constructs/kept_vault_secret.py`)."""


def secret_values(folder: Path) -> set[str]:
    """Return every secret value ever generated or stored in a rehearsal, also those of plans never applied."""
    with sqlite3.connect(f"file:{folder / VAULT}?mode=ro", uri=True) as vault:
        return {value for (value,) in vault.execute("SELECT value FROM secrets") if value not in {"", NOTHING}}


def leaking_files(folder: Path, values: Collection[str]) -> list[Path]:
    """Return the files under `folder`, plan files opened, that hold one of `values`."""
    needles = [value.encode() for value in values]
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(VAULT)
        and any(needle in content for content in _contents(path) for needle in needles)
    ]


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.read(name)
