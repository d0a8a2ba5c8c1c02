"""One SQLite file that several threads and processes read and write at once."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WAIT_SECONDS = 60.0


class Store:
    """A file with some tables, made where it is missing."""

    def __init__(self, path: Path, tables: str, mode: int = 0o644) -> None:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, mode))
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(tables)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Within, what is written counts as a whole or not at all, and nobody else writes."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._database.close()
