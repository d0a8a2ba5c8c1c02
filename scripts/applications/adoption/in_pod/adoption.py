"""One source that is taken into one database: what is known of it, and what was counted on the way."""

import os
from typing import Any

from psycopg import sql
from psycopg.sql import Identifier

from scripts.applications.adoption.in_pod.tables import Tables
from scripts.cluster.in_pod.database import Connection

SCRATCH = "adoption"
"""Schema that rows come into before they are added to the environment's own tables."""


class Adoption:
    """One source taken into one database."""

    def __init__(self, connection: Connection, parameters: dict[str, Any]) -> None:
        self.connection = connection
        self.rules: dict[str, Any] = parameters["rules"]
        # As Open WebUI makes it out of its variables.
        uploads = f"{os.environ.get('DATA_DIR', '/app/backend/data')}/uploads"
        self.values: dict[str, Any] = {"uploads": uploads, **parameters["values"]}
        self.revision: str | None = parameters.get("revision")
        self.people: list[list[str]] = parameters.get("people", [])
        """Id, e-mail address and Entra's object id, empty where there is no login."""
        self.source: dict[str, list[str]] = parameters["tables"]
        self.target = Tables(connection, "public")
        self.loaded: dict[str, int] = {}
        self.orphans: dict[str, int] = {}
        """Rows whose parents are gone, which SQLite keeps and PostgreSQL does not."""
        self.skipped: dict[str, int] = {}
        """Rows that the rules leave behind."""
        self.unknown: list[str] = []
        """Columns of the source that have no place here."""

    def scratch(self) -> Tables:
        """Return the scratch tables as they are now."""
        return Tables(self.connection, SCRATCH)

    def one(self, statement: sql.SQL | sql.Composed | str, *values: Any) -> Any:
        """Return the first column of the first row."""
        found = self.connection.execute(statement, values or None).fetchone()  # type: ignore[arg-type,unused-ignore]
        return found[0] if found else None

    def count(self, schema: str, table: str) -> int:
        """Return the number of a table's rows."""
        return int(self.one(sql.SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))))
