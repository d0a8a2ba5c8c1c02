"""Count rows in the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS: `tables` (kind to table) and `folder`, whose files are counted as `files`,
empty for none. Prints one JSON object: {"counts": ...}. A table that is not there is left out.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

TLS = {"sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslrootcert"}
"""Options of a database's address that count here; Prisma calls the authorities' file `sslcert`."""


def address(url: str) -> str:
    """Return a database's address without the options that only another client knows."""
    parts = urlsplit(url)
    options = {TLS[key]: found[-1] for key, found in parse_qs(parts.query).items() if key in TLS}
    return urlunsplit((parts.scheme.partition("+")[0], parts.netloc, parts.path, urlencode(options), ""))


def counted(connection: "psycopg.Connection[Any]", tables: dict[str, str]) -> dict[str, int]:
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
    with psycopg.connect(address(os.environ["DATABASE_URL"])) as connection:
        found = counted(connection, parameters["tables"])
    sys.stdout.write(json.dumps({"counts": found | files(parameters["folder"])}) + "\n")


if __name__ == "__main__" and "PARAMETERS" in globals():
    main(globals()["PARAMETERS"])
