"""Prints what is a person's: rows, then the content of uploads in parts."""

import base64
from collections.abc import Iterator
from typing import Any

from psycopg import sql

from scripts.applications.privacy.in_pod.choice import owners
from scripts.applications.privacy.in_pod.outside import inside, uploads
from scripts.applications.privacy.in_pod.person import Person
from scripts.cluster.in_pod.answers import say

CHUNK = 3 * 2**18
"""Bytes of a file in one line; a multiple of three, so that the parts join."""
SECRET = ("password", "token", "key", "api_key", "session_stamp")
"""Columns that an export leaves out: they open something."""


def export(person: Person) -> dict[str, Any]:
    """Print every row and file; return how many."""
    rows: dict[str, int] = {}
    for table, row in _rows(person):
        rows[table] = rows.get(table, 0) + 1
        say({"table": table, "row": row})
    files, missing = 0, []
    for name, path in uploads(person):
        found = inside(path)
        if found is None or not found.exists():
            missing.append(name)
            continue
        files += 1
        with found.open("rb") as opened:
            while part := opened.read(CHUNK):
                say({"file": name, "part": base64.b64encode(part).decode()})
    return {"account": bool(person.account), "rows": rows, "files": files, "missing_files": missing}


def _rows(person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what is the person's, and what stays for others of it, without what opens something."""
    for table, rule in person.tables.items():
        if table not in person.columns:
            continue
        shown = [
            column
            for column, kind in person.columns[table].items()
            if column not in SECRET and kind not in ("USER-DEFINED", "bytea")
        ]
        owned = [column for column in (*owners(rule), *rule.get("hand_over", ())) if column in person.columns[table]]
        statement = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(map(sql.Identifier, shown)),
            sql.Identifier(table),
            sql.SQL(" OR ").join(
                [
                    sql.SQL("ctid = ANY(%(chosen)s::tid[])"),
                    *(sql.SQL("{} = ANY(%(ids)s)").format(sql.Identifier(column)) for column in owned),
                ]
            ),
        )
        values = {"chosen": person.chosen.get(table, []), "ids": person.identities}
        with person.connection.cursor(name="export") as cursor:
            cursor.itersize = 200
            cursor.execute(statement, values)
            for row in cursor:
                yield table, dict(zip(shown, row, strict=True))
