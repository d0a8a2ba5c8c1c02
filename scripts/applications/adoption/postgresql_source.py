"""A PostgreSQL database, read within one read-only transaction that sees one moment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from scripts.core.errors import ExitCode, OperatorError

BATCH = 500
"""Rows that are fetched at once."""


@dataclass
class PostgresqlSource:
    """One schema within one transaction."""

    connection: "psycopg.Connection[tuple[Any, ...]]"
    kind: str = "postgresql"
    known: dict[str, list[str]] = field(default_factory=dict)

    def tables(self) -> Mapping[str, Sequence[str]]:
        """Return the columns of every table."""
        if not self.known:
            for table, column in self.connection.execute(
                "SELECT c.table_name, c.column_name FROM information_schema.columns c"
                " JOIN information_schema.tables t USING (table_schema, table_name)"
                " WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY 1, c.ordinal_position"
            ):
                self.known.setdefault(table, []).append(column)
        return self.known

    def count(self, table: str) -> int:
        """Return the number of rows."""
        found = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        return int(found[0]) if found else 0

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield the rows, every value as PostgreSQL itself writes and reads it."""
        chosen = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
        with self.connection.cursor(name="adopt") as cursor:
            cursor.itersize = BATCH
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(chosen, sql.Identifier(table)))
            yield from cursor


@contextmanager
def open_postgresql(url: str) -> Iterator[PostgresqlSource]:
    """Within, the database at `url`. Raises OperatorError, without the address's password."""
    parts = urlsplit(url)
    # SQLAlchemy's addresses name a driver: postgresql+psycopg2://.
    address = urlunsplit(parts._replace(scheme="postgresql"))
    where = f"{parts.hostname}{parts.path}"
    try:
        with psycopg.connect(address, connect_timeout=15) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield PostgresqlSource(connection)
            connection.rollback()
    except psycopg.OperationalError as error:
        said = (str(error).strip() or "no message").splitlines()[-1]
        raise OperatorError(
            f"the PostgreSQL database {where} does not answer: {_without(said, parts.password)}",
            "check address, password and the server's firewall rule for this machine",
            ExitCode.NOT_READY,
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise OperatorError(
            f"the role may not read all of {where}: {error.diag.message_primary}", code=ExitCode.NOT_READY
        ) from None


def _without(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text
