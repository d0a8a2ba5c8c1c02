"""The fake cloud: what exists in Azure, Entra and the clusters of one rehearsal folder.

Two SQLite files, shared by all provider processes that run at once. ``cloud.db`` holds the objects and a journal of
every write; ``vault.db`` (mode 0600) holds what a real vault would: every secret value, which Terraform must not keep.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from .sqlite_store import Store

FOLDER = "REHEARSAL_FOLDER"

_COLUMNS = ("key", "provider", "type", "id", "scope", "stack", "address", "generation")
_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, provider TEXT, type TEXT, id TEXT, scope TEXT, stack TEXT, address TEXT,
    generation INTEGER, state BLOB
);
CREATE TABLE IF NOT EXISTS lifetimes (key TEXT PRIMARY KEY, type TEXT, count INTEGER);
CREATE TABLE IF NOT EXISTS fault_uses (fault TEXT PRIMARY KEY, count INTEGER);
CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY, at REAL, stack TEXT, operation TEXT, type TEXT, address TEXT, id TEXT, outcome TEXT
);
"""
_VAULT_TABLES = """
CREATE TABLE IF NOT EXISTS secrets (
    sequence INTEGER PRIMARY KEY, holder TEXT, name TEXT, version TEXT, value TEXT
);
"""


@dataclass(frozen=True)
class CloudObject:
    """One thing that exists. ``key`` is what makes it unique there; ``scope`` is the cluster it lives in, if any."""

    key: str
    provider: str
    type: str
    id: str
    scope: str
    stack: str
    address: str
    generation: int
    state: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One line of the journal: a write a provider was asked for and how it ended (``done`` or the error)."""

    sequence: int
    at: float
    stack: str
    operation: str
    type: str
    address: str
    id: str
    outcome: str


class AlreadyExistsError(Exception):
    """An object with the same key exists."""


class Cloud:
    """The objects and secrets under one rehearsal folder; safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._objects = Store(folder / "cloud.db", _TABLES)
        self._vault = Store(folder / "vault.db", _VAULT_TABLES, mode=0o600)

    def _select(self, where: str, values: tuple[Any, ...]) -> list[CloudObject]:
        query = (
            f"SELECT {', '.join(_COLUMNS)}, state"  # noqa: S608
            f" FROM objects WHERE {where} ORDER BY key"
        )
        return [CloudObject(*(*row[:-1], _unpack(row[-1]))) for row in self._objects.rows(query, *values)]

    def get(self, key: str) -> CloudObject | None:
        """Return the object with this key, or None."""
        found = self._select("key = ?", (key,))
        return found[0] if found else None

    def by_id(self, type_name: str, object_id: str, scope: str = "") -> CloudObject | None:
        """Return the object of a type with this id in a cluster, or in none; Azure ids ignore case."""
        found = self._select("type = ? AND lower(id) = ? AND scope = ?", (type_name, object_id.lower(), scope))
        return found[0] if found else None

    def objects(self, type_name: str | None = None) -> list[CloudObject]:
        """Return everything that exists, or everything of one type."""
        return self._select("type = ?", (type_name,)) if type_name else self._select("1", ())

    def below(self, scope_id: str) -> list[CloudObject]:
        """Return the objects whose id lies under another id."""
        prefix = scope_id.lower().rstrip("/") + "/"
        return self._select("substr(lower(id), 1, ?) = ?", (len(prefix), prefix))

    def exists(self, object_id: str) -> bool:
        """Tell whether an object of any type has this id."""
        return bool(self._objects.rows("SELECT 1 FROM objects WHERE lower(id) = ?", object_id.lower()))

    def within(self, scope: str) -> list[CloudObject]:
        """Return the objects that live in one cluster."""
        return self._select("scope = ?", (scope,))

    def types_ever(self) -> set[str]:
        """Return the names of all types of which an object exists or existed."""
        return {row[0] for row in self._objects.rows("SELECT DISTINCT type FROM lifetimes")}

    def next_generation(self, key: str) -> int:
        """Return which life of this key the next object would be, counted from 1."""
        rows = self._objects.rows("SELECT count FROM lifetimes WHERE key = ?", key)
        return int(rows[0][0] if rows else 0) + 1

    def create(self, created: CloudObject) -> None:
        """Add an object; raises AlreadyExistsError where its key is taken."""
        with self._objects.transaction() as database:
            if database.execute("SELECT 1 FROM objects WHERE key = ?", (created.key,)).fetchone():
                raise AlreadyExistsError(created.key)
            values = (*(getattr(created, column) for column in _COLUMNS), _pack(created.state))
            database.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            database.execute(
                "INSERT INTO lifetimes VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET count = count + 1",
                (created.key, created.type),
            )

    def update(self, key: str, state: dict[str, Any], object_id: str | None = None) -> None:
        """Replace the attributes of an object, and its id where that changed (a secret's new version)."""
        with self._objects.transaction() as database:
            database.execute("UPDATE objects SET state = ? WHERE key = ?", (_pack(state), key))
            if object_id:
                database.execute("UPDATE objects SET id = ? WHERE key = ?", (object_id, key))

    def delete(self, *keys: str) -> None:
        """Remove objects; what does not exist is no error."""
        with self._objects.transaction() as database:
            database.executemany("DELETE FROM objects WHERE key = ?", [(key,) for key in keys])

    def record(self, **event: str) -> None:
        """Add a line to the journal."""
        columns = ("stack", "operation", "type", "address", "id", "outcome")
        values = (time.time(), *(event.get(column, "") for column in columns))
        with self._objects.transaction() as database:
            database.execute(
                "INSERT INTO journal (at, stack, operation, type, address, id, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def journal(self) -> list[Event]:
        """Return every write so far, oldest first."""
        return [Event(*row) for row in self._objects.rows("SELECT * FROM journal ORDER BY sequence")]

    def use_fault(self, fault: str, times: int | None, *, skip: int = 0) -> bool:
        """Count one use of an injected error; False for the first ``skip``, and after ``times`` more (None: never)."""
        with self._objects.transaction() as database:
            row = database.execute("SELECT count FROM fault_uses WHERE fault = ?", (fault,)).fetchone()
            used = row[0] if row else 0
            if times is not None and used >= skip + times:
                return False
            database.execute(
                "INSERT INTO fault_uses VALUES (?, 1) ON CONFLICT (fault) DO UPDATE SET count = count + 1", (fault,)
            )
        return bool(used >= skip)

    def faults_met(self) -> int:
        """Return how many injected errors were met; one that every resource meets apart counts for each."""
        return len(self._objects.rows("SELECT fault FROM fault_uses"))

    def keep_secret(self, holder: str, name: str, version: str, value: str) -> None:
        """Keep a secret value outside of Terraform; ``holder`` is the id of what holds it."""
        with self._vault.transaction() as database:
            database.execute(
                "INSERT INTO secrets (holder, name, version, value) VALUES (?, ?, ?, ?)",
                (holder.lower(), name, version, value),
            )

    def secret(self, holder: str, name: str, version: str | None = None) -> tuple[str, str] | None:
        """Return ``(version, value)`` of a kept secret, the latest where no version is named."""
        query = "SELECT version, value FROM secrets WHERE holder = ? AND name = ?"
        values: tuple[str, ...] = (holder.lower(), name)
        if version:
            query, values = query + " AND version = ?", (*values, version)
        rows = self._vault.rows(query + " ORDER BY sequence DESC LIMIT 1", *values)
        return (rows[0][0], rows[0][1]) if rows else None

    def secret_values(self) -> set[str]:
        """Return every secret value that was ever generated or stored, for searches in places it must not be."""
        return {row[0] for row in self._vault.rows("SELECT value FROM secrets")}

    def close(self) -> None:
        """Close both files."""
        self._objects.close()
        self._vault.close()


def _pack(state: dict[str, Any]) -> bytes:
    return bytes(msgpack.packb(state, use_bin_type=True))


def _unpack(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgpack.unpackb(content, raw=False, strict_map_key=False)
    return found
