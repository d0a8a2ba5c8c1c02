"""Who a person is in one database, and which rows were found to be the person's."""

from typing import Any

from psycopg import sql

from scripts.cluster.in_pod.answers import RefusedError
from scripts.cluster.in_pod.database import Connection


class Person:
    """One person in one database, within a transaction."""

    def __init__(self, connection: Connection, rules: dict[str, Any], names: list[str], related: list[str]) -> None:
        self.connection = connection
        self.rules = rules
        self.tables: dict[str, dict[str, Any]] = rules["tables"]
        self.columns = self._columns()
        self.account = self._account(names)
        found = {*names, *self.account}
        self.ids = sorted(name for name in found if "@" not in name)
        self.emails = sorted(name for name in found if "@" in name)
        self.identities = sorted({*found, *related})
        self.chosen: dict[str, list[str]] = {}
        """Table to the rows (ctid) that are the person's."""
        self.gone: dict[str, list[str]] = {}
        """Table to the ids of the rows that go."""
        self.kept: dict[str, list[tuple[str, str]]] = {}
        """Table to rows that stay for others: id and who gets them."""
        self.shared: list[dict[str, str]] = []

    def ask(self, statement: sql.SQL | sql.Composed, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that a statement gives."""
        found: list[tuple[Any, ...]] = self.connection.execute(statement, values).fetchall()
        return found

    def _columns(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        statement = sql.SQL(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        )
        for table, column, kind in self.ask(statement):
            found.setdefault(table, {})[column] = kind
        return found

    def unclassified(self) -> list[str]:
        """Return columns that seem to name a person, and that the rules say nothing about."""
        suspicious = tuple(self.rules["naming"])
        said = {
            f"{table}.{column}"
            for table, rule in self.tables.items()
            for key in ("delete", "hand_over", "clear", "keep")
            for column in rule.get(key, ())
        }
        said |= {f"{table}.{rule['shared']}" for table, rule in self.tables.items() if "shared" in rule}
        return sorted(
            name
            for table, columns in self.columns.items()
            for column in columns
            if column in suspicious and (name := f"{table}.{column}") not in said
        )

    def _account(self, names: list[str]) -> list[str]:
        """Return id and e-mail address of the account in this database, as they stand there; nothing without one."""
        known = self.rules["account"]
        found = self.ask(
            sql.SQL("SELECT {id}, {email} FROM {table} WHERE lower({email}) = ANY(%s) OR {id} = ANY(%s)").format(
                id=sql.Identifier(known["id"]),
                table=sql.Identifier(known["table"]),
                email=sql.Identifier(known["email"]),
            ),
            [name.lower() for name in names],
            names,
        )
        return [str(value) for row in found for value in row if value]

    def heir(self) -> str:
        """Return who gets what stays for others. Raises RefusedError for the last administrator's account."""
        if "heir" in self.rules:
            return str(self.rules["heir"])
        found = self.ask(
            sql.SQL("SELECT id FROM {} WHERE role = 'admin' AND NOT id = ANY(%s) ORDER BY created_at, id").format(
                sql.Identifier(self.rules["account"]["table"])
            ),
            self.ids,
        )
        if not found:
            raise RefusedError("this is the last administrator's account")
        return str(found[0][0])
