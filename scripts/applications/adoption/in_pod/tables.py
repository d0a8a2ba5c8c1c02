"""Tables of one schema, as PostgreSQL describes them."""

from scripts.cluster.in_pod.database import Connection

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
KEYS = """
SELECT c.relname, k.contype::text,
  (SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY u(number, n)
   JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number),
  (SELECT relname FROM pg_class WHERE oid = k.confrelid),
  (SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY u(number, n)
   JOIN pg_attribute ON attrelid = k.confrelid AND attnum = number)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND k.contype IN ('p', 'f')
"""


class Tables:
    """Tables of one schema: columns with their types, primary keys, and foreign keys of one column."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self.columns: dict[str, dict[str, str]] = {}
        self.keys: dict[str, list[str]] = {}
        self.foreign_keys: dict[str, list[tuple[str, str, str]]] = {}
        """Table to its columns that point elsewhere: column, other table, column there."""
        for table, column, kind in connection.execute(COLUMNS, (schema,)):
            self.columns.setdefault(table, {})[column] = kind
        for table, kind, columns, parent, theirs in connection.execute(KEYS, (schema,)):
            if kind == "p":
                self.keys[table] = columns
            elif len(columns) == 1:
                self.foreign_keys.setdefault(table, []).append((columns[0], parent, theirs[0]))

    def parents_first(self, chosen: list[str]) -> list[str]:
        """Return the tables in an order in which rows come after those that they point to."""
        ordered: list[str] = []
        left = list(chosen)
        while left:
            ready = [
                table
                for table in left
                if not {parent for _, parent, _ in self.foreign_keys.get(table, [])} & set(left) - {table}
            ]
            # A circle is left to the constraints themselves.
            ordered += ready or left
            left = [table for table in left if table not in ordered]
        return ordered
