"""An interrupted schema migration of Opik: what it leaves behind is found, shown, and cleared.

Liquibase marks a database as locked while it migrates, and a process that is killed leaves the mark: every later one
waits for it and gives up (https://docs.liquibase.com/concepts/tracking-tables/databasechangeloglock-table.html). A
ClickHouse table whose creation was cut off may be in ZooKeeper and not in ClickHouse, so that creating it again ends in
REPLICA_ALREADY_EXISTS (https://clickhouse.com/docs/sql-reference/statements/system#drop-replica).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.cluster.pausing import pause, resume
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.cluster import BACKEND_PODS, NAMESPACE, OpikCluster

BACKEND = "deployment/opik-backend"

_LOCKED = "SELECT LOCKED, LOCKGRANTED, LOCKEDBY FROM {database}.DATABASECHANGELOGLOCK WHERE LOCKED = 1"
_UNLOCK_MYSQL = "UPDATE opik.DATABASECHANGELOGLOCK SET LOCKED = 0, LOCKEDBY = NULL, LOCKGRANTED = NULL WHERE LOCKED = 1"
_UNLOCK_CLICKHOUSE = (
    "ALTER TABLE default.DATABASECHANGELOGLOCK UPDATE LOCKED = 0, LOCKEDBY = NULL, LOCKGRANTED = NULL"
    " WHERE LOCKED = 1 SETTINGS mutations_sync = 1"
)
_REPLICAS = (
    "SELECT path, name FROM system.zookeeper WHERE path LIKE '%/replicas'"
    " SETTINGS allow_unrestricted_reads_from_keeper = 1"
)
# A dropped table keeps its path for minutes, until ClickHouse has removed its parts.
_TABLES = "SELECT zookeeper_path FROM system.replicas"
_DROPPED = "SELECT count() FROM system.dropped_tables"


@dataclass(frozen=True)
class Leftover:
    """One thing that an interrupted migration left."""

    what: str
    database: str
    """`mysql` or `clickhouse`."""
    statement: str
    """SQL that clears it."""


def leftovers(cluster: OpikCluster) -> list[Leftover]:
    """Return what interrupted migrations left in both databases and in ZooKeeper. Raises OperatorError."""
    found = [
        Leftover(f"MySQL is locked by {_by(row)}", "mysql", _UNLOCK_MYSQL)
        for row in cluster.mysql(_LOCKED.format(database="opik")).splitlines()
    ]
    found += [
        Leftover(f"ClickHouse is locked by {_by(row)}", "clickhouse", _UNLOCK_CLICKHOUSE)
        for row in cluster.clickhouse(_LOCKED.format(database="default")).splitlines()
    ]
    if cluster.clickhouse(_DROPPED).strip() != "0":
        return found
    tables = set(cluster.clickhouse(_TABLES).split())
    for row in cluster.clickhouse(_REPLICAS).splitlines():
        path, name = row.split("\t")
        table = path.removesuffix("/replicas")
        if table not in tables:
            found.append(
                Leftover(
                    f"ZooKeeper has the replica {name} of {table}, which is no table of ClickHouse",
                    "clickhouse",
                    f"SYSTEM DROP REPLICA {_quoted(name)} FROM ZKPATH {_quoted(table)}",
                )
            )
    return found


def clear(cluster: OpikCluster, found: Leftover) -> None:
    """Clear what was left. Raises OperatorError."""
    run = cluster.mysql if found.database == "mysql" else cluster.clickhouse
    run(found.statement)


@contextmanager
def without_migrations(cluster: OpikCluster) -> Iterator[None]:
    """Within, no pod of the backend runs, so that nothing migrates; afterwards as many as before.

    Raises OperatorError (REFUSED) when one is there all the same.
    """
    kubectl = cluster.kubectl
    try:
        pause(kubectl, NAMESPACE, BACKEND)
        if pods := kubectl.items("pods", "-n", NAMESPACE, "-l", BACKEND_PODS):
            names = ", ".join(pod["metadata"]["name"] for pod in pods)
            raise OperatorError(f"{names} may be migrating; nothing was done", code=ExitCode.REFUSED)
        yield
    finally:
        resume(kubectl, NAMESPACE, BACKEND)


def _by(row: str) -> str:
    _, granted, by = (*row.split("\t"), "", "")[:3]
    return f"{by or 'nobody known'} since {granted or 'unknown'}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
