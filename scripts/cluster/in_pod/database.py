"""The database of the pod that a program runs in."""

import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import psycopg

from scripts.cluster.in_pod.answers import RefusedError, say

Connection = psycopg.Connection[tuple[Any, ...]]
TLS = {"sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslrootcert"}
"""Options of a database's address that count here; Prisma calls the authorities' file `sslcert`, and a check of
certificate and name `sslaccept=strict`."""


def address(url: str) -> str:
    """Return a database's address without the options that only another client knows."""
    parts = urlsplit(url)
    given = {key: found[-1] for key, found in parse_qs(parts.query).items()}
    options = {TLS[key]: value for key, value in given.items() if key in TLS}
    if given.get("sslaccept") == "strict":
        options["sslmode"] = "verify-full"
    return urlunsplit((parts.scheme.partition("+")[0], parts.netloc, parts.path, urlencode(options), ""))


def connected() -> Connection:
    """Return a connection with the pod's own address, as `DATABASE_URL` has it."""
    return psycopg.connect(address(os.environ["DATABASE_URL"]), connect_timeout=15)


def run(main: Callable[[dict[str, Any]], None], parameters: dict[str, Any]) -> None:
    """Run a program on the database: a refusal is an answer, a failed statement ends it without quoting values."""
    try:
        main(parameters)
    except RefusedError as refused:
        say({"refused": str(refused)})
    except psycopg.Error as error:
        sys.exit(f"{type(error).__name__} {error.sqlstate or ''} {error.diag.table_name or ''}".strip())
