"""A database of the installation that is taken over, read within one transaction and never written."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scripts.core.errors import ExitCode, OperatorError

from .postgresql_source import open_postgresql
from .sqlite_source import open_sqlite

Row = Sequence[Any]


class Source(Protocol):
    """Tables as they stood at one moment."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""

    def tables(self) -> Mapping[str, Sequence[str]]:
        """Return the columns of every table."""

    def count(self, table: str) -> int:
        """Return the number of rows."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the rows: text, numbers, None. Raises OperatorError for a value that cannot be carried over."""


@dataclass(frozen=True)
class Place:
    """Where the source is, as `--from` says; an address with a password never stands on the command line."""

    kind: str
    text: str

    @classmethod
    def of(cls, words: str, environment: Mapping[str, str] = os.environ) -> "Place":
        """Return the place of `sqlite:PATH`, `env:VARIABLE` or `file:PATH`. Raises OperatorError."""
        kind, colon, rest = words.partition(":")
        if "://" in words:
            raise OperatorError(
                "a database's address holds a password, which a command line shows to everybody on this machine",
                "put it into a variable (--from env:NAME) or a file (--from file:PATH), and change the password",
                ExitCode.USAGE,
            )
        if not colon or not rest or kind not in ("sqlite", "env", "file"):
            raise OperatorError(
                f"{words!r} names no source", "write sqlite:PATH, env:VARIABLE or file:PATH", ExitCode.USAGE
            )
        if kind == "sqlite":
            return cls("sqlite", rest)
        text = environment.get(rest, "") if kind == "env" else _content(Path(rest))
        if not text.strip().startswith(("postgresql://", "postgres://", "postgresql+")):
            where = f"the variable {rest}" if kind == "env" else rest
            raise OperatorError(
                f"{where} holds no address of a PostgreSQL database",
                "it begins with postgresql:// and names user, host and database",
                ExitCode.USAGE,
            )
        return cls("postgresql", text.strip())

    def open(self) -> AbstractContextManager[Source]:
        """Return the source, open within. Raises OperatorError."""
        if self.kind == "sqlite":
            return open_sqlite(Path(self.text))
        return open_postgresql(self.text)


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} cannot be read: {error}", code=ExitCode.USAGE) from None
