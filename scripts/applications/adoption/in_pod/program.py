"""Take rows of another installation into the database of a pod; runs inside the pod, with the pod's own address.

Started by `pod_program` with PARAMETERS: `action` (`look`, `take`), `rules` (one of the YAML files of the folder
above), `values` (what the rules' SQL names), `tables` (the source's columns, by table), `revision` and `people` of a
source that has them. `take` reads rows as JSON lines: {"table": ..., "columns": [...]}, then one array a row, at last
{"end": number of rows}. Prints one JSON object a line: {"loaded": ...} on the way, then {"report": ...}.

Rows come into a schema of their own. Where the rules say so, it has the source's revision first and is brought to this
version by Open WebUI's own migrations. What is in it is then added to the tables in one transaction, which counts and
ends with nothing taken when a count is not what it has to be.
"""

import sys
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.sql import Identifier

from scripts.applications.adoption.in_pod.adoption import SCRATCH, Adoption
from scripts.applications.adoption.in_pod.loading import load, stage
from scripts.applications.adoption.in_pod.looking import look
from scripts.applications.adoption.in_pod.merging import merge
from scripts.applications.adoption.in_pod.migrations import migrate, require_whole
from scripts.applications.adoption.in_pod.settling import settle
from scripts.cluster.in_pod.answers import RefusedError, say
from scripts.cluster.in_pod.database import connected, run

MARK = "Scratch tables of llmctl adopt; may be dropped while no adoption runs."
LOCK = 0x0AD0_9710


def take(adoption: Adoption, lines: Iterator[bytes]) -> dict[str, Any]:
    """Do it all; return what was counted."""
    connection, rules = adoption.connection, adoption.rules
    look(adoption)
    if not adoption.one("SELECT pg_try_advisory_lock(%s)", LOCK):
        raise RefusedError("another adoption into this database runs")
    drop_scratch(adoption)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(Identifier(SCRATCH)))
    connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(SCRATCH), sql.Literal(MARK)))
    if rules.get("migrate"):
        connection.commit()
        migrate(str(adoption.revision))
    else:
        for table in rules["take"]:
            copy_shape(adoption, table)
    for table in rules.get("beside", ()):
        if table in adoption.source:
            copy_shape(adoption, table)
    load(adoption, lines)
    stage(adoption)
    connection.commit()
    if rules.get("migrate"):
        migrate("head")
        require_whole(adoption)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    settle(adoption)
    report = merge(adoption)
    connection.commit()
    drop_scratch(adoption)
    connection.commit()
    return report


def drop_scratch(adoption: Adoption) -> None:
    """Remove what an interrupted adoption left behind, and nothing of anybody else."""
    there = adoption.one("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", SCRATCH)
    exists = adoption.one("SELECT count(*) FROM pg_namespace WHERE nspname = %s", SCRATCH)
    if exists and there != MARK:
        raise RefusedError(f"this environment's database has a schema {SCRATCH} of somebody else")
    adoption.connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(SCRATCH)))


def copy_shape(adoption: Adoption, table: str) -> None:
    """Make an empty scratch table like the environment's own."""
    adoption.connection.execute(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(
            Identifier(SCRATCH, table), Identifier("public", table)
        )
    )


def main(parameters: dict[str, Any]) -> None:
    """Do what the parameters say, and report."""
    with connected() as connection:
        adoption = Adoption(connection, parameters)
        if parameters["action"] == "look":
            report = look(adoption)
            connection.rollback()
        else:
            report = take(adoption, iter(sys.stdin.buffer.readline, b""))
        say({"report": report})


if __name__ == "__main__":
    run(main, PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
