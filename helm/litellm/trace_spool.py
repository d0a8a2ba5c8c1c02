"""Batches of traces that Opik did not take yet, on disk, so that they outlive its absence and the process.

Bounded: what would exceed the limit drops the oldest batches, and the caller is told how many items those held.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Item = tuple[str, dict[str, Any]]
"""Kind, `traces` or `spans`, and what Opik's batch interface takes of it."""


class TraceSpool:
    """A folder with one file for each batch, named so that the oldest comes first."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Use `folder`, which is made where it is missing, and hold at most `limit_bytes` in it."""
        self._folder = folder
        self._limit = limit_bytes

    def put(self, batch: list[Item]) -> int:
        """Keep a batch and return how many items had to go for it. Raises OSError when it cannot be written."""
        text = json.dumps(batch, default=str)
        size = len(text.encode())
        if size > self._limit:
            return len(batch)
        dropped = self._make_room(self._limit - size)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns():020d}.json"
        # A process that ends while it writes must not leave half a batch.
        unfinished = path.with_suffix(".part")
        unfinished.write_text(text, "utf-8")
        unfinished.rename(path)
        return dropped

    def batches(self) -> Iterator[tuple[Path, list[Item]]]:
        """Every batch with the file to remove or replace, oldest first."""
        for path in self._files():
            yield path, [(kind, item) for kind, item in json.loads(path.read_text("utf-8"))]

    def count(self) -> int:
        """How many batches wait."""
        return len(self._files())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []

    def _make_room(self, limit: int) -> int:
        """Drop the oldest batches until the rest fits into `limit` bytes; return how many items they held."""
        files = self._files()
        taken = sum(path.stat().st_size for path in files)
        dropped = 0
        for path in files:
            if taken <= limit:
                break
            taken -= path.stat().st_size
            dropped += len(json.loads(path.read_text("utf-8")))
            path.unlink()
        return dropped
