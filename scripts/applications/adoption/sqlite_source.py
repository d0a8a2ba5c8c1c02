"""An SQLite file, opened read-only; its writer may go on, since SQLite keeps the state of the first look."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

MAGIC = b"SQLite format 3\0"
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The character that PostgreSQL's texts cannot hold, as JSON writes it."""
BUSY_S = 5.0


@dataclass(frozen=True)
class SqliteSource:
    """One file within one transaction."""

    connection: sqlite3.Connection
    path: Path
    kind: str = "sqlite"

    def tables(self) -> Mapping[str, Sequence[str]]:
        """Return the columns of every table."""
        names = [
            str(name)
            for (name,) in self._ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        ]
        return {name: [str(row[1]) for row in self._ask(f"PRAGMA table_info({_quoted(name)})")] for name in names}

    def count(self, table: str) -> int:
        """Return the number of rows."""
        ((count,),) = self._ask(f"SELECT count(*) FROM {_quoted(table)}")  # noqa: S608 - quoted
        return int(count)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield the rows. Raises OperatorError."""
        for row in self._ask(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}"):  # noqa: S608
            yield [_carried(value, table) for value in row]

    def _ask(self, statement: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self.connection.execute(statement)
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None


@contextmanager
def open_sqlite(path: Path, *, busy_s: float = BUSY_S) -> Iterator[SqliteSource]:
    """Within, the file at `path`. Raises OperatorError: none, encrypted, cut off, or locked longer than `busy_s`."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}", code=ExitCode.USAGE) from None
    if not head.startswith(MAGIC):
        what = "is empty" if not head else "is no SQLite database, or is encrypted (SQLCipher)"
        raise OperatorError(f"{path} {what}", "name the file webui.db of the data folder, decrypted", ExitCode.USAGE)
    _require_whole(path, head)
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=busy_s,
            isolation_level=None,
            # What is sent is read in a thread of its own, one after the other all the same.
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise _explained(path, error) from None
    with closing(connection):
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise _explained(path, error) from None
        if found != "ok":
            raise _damaged(path, str(found).splitlines()[-1])
        yield SqliteSource(connection, path)


def _require_whole(path: Path, head: bytes) -> None:
    """Compare the file's length with what its header says (https://www.sqlite.org/fileformat.html, 1.3)."""
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(head[28:32], "big")
    # The count is valid only while both counters of changes agree.
    if head[24:28] == head[92:96] and path.stat().st_size < page * pages:
        raise _damaged(path, f"{path.stat().st_size} of {page * pages} bytes are there")


def _explained(path: Path, error: sqlite3.Error) -> OperatorError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return OperatorError(f"{path} is locked by its writer", "stop the old chat, then repeat", ExitCode.NOT_READY)
    if "malformed" in text or "not a database" in text:
        return _damaged(path, text)
    return OperatorError(
        f"{path} cannot be opened: {text}",
        "copy webui.db with its -wal file into a folder of your own, and name that copy",
        ExitCode.USAGE,
    )


def _damaged(path: Path, text: str) -> OperatorError:
    return OperatorError(
        f"{path} is a half or damaged copy: {text}",
        'copy it again, with its -wal file, or with: sqlite3 webui.db ".backup copy.db"',
        ExitCode.USAGE,
    )


def _carried(value: Any, table: str) -> Any:
    if isinstance(value, bytes):
        raise OperatorError(f"table {table} of the SQLite file holds bytes where this project knows texts only")
    if isinstance(value, str):
        value = value.replace("\0", "")
        return _NUL.sub(r"\1", value) if value[:1] in ("{", "[", '"') else value
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
