"""Count rows in the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS: `tables` (kind to table) and `folder`, whose files are counted as `files`,
empty for none. Prints one JSON object: {"counts": ...}. A table that is not there is left out.
"""

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from scripts.cluster.in_pod.answers import say
from scripts.cluster.in_pod.database import Connection, connected


def counted(connection: Connection, tables: dict[str, str]) -> dict[str, int]:
    """Return the rows of each kind, all of one moment."""
    found = {}
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        for kind, table in tables.items():
            there = connection.execute("SELECT to_regclass(%s)", (f'"{table}"',)).fetchone()
            if there and there[0]:
                row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
                found[kind] = int(row[0]) if row else 0
    return found


def files(folder: str) -> dict[str, int]:
    """Return how many files are below a folder, without those of the share's own snapshots."""
    if not folder:
        return {}
    paths = (path for path in Path(folder).rglob("*") if path.is_file())
    return {"files": sum(1 for path in paths if not path.relative_to(folder).parts[0].startswith("."))}


def main(parameters: dict[str, Any]) -> None:
    """Count, and print it."""
    with connected() as connection:
        found = counted(connection, parameters["tables"])
    say({"counts": found | files(parameters["folder"])})


if __name__ == "__main__" and "PARAMETERS" in globals():
    main(globals()["PARAMETERS"])
