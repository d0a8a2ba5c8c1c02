"""The statements that Opik's stores get around a snapshot, and what is counted in them.

Each store's own program is started in its pod, with the password that the pod's environment holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import OperatorError
from scripts.opik.cluster import NAMESPACE

FLUSH_MYSQL = "FLUSH TABLES; FLUSH ENGINE LOGS"
FLUSH_INSERTS = "SYSTEM FLUSH ASYNC INSERT QUEUE"
"""Inserts that wait in memory become parts."""
NO_QUEUE = "asynchronous insert queue because it is not initialized"
"""What ClickHouse says to it where no insert can wait."""
STOP_MERGES = "SYSTEM STOP MERGES; SYSTEM STOP TTL MERGES"
"""Mutations stop with the merges."""
START_MERGES = "SYSTEM START TTL MERGES; SYSTEM START MERGES"
RUNNING_MERGES = "SELECT count() FROM system.merges"
READ_ONLY = "SELECT database || '.' || table FROM system.replicas WHERE is_readonly ORDER BY 1"
"""Tables without their ZooKeeper: a set of these would be worth nothing."""
COUNTS_MYSQL = (
    "SELECT 'projects', COUNT(*) FROM opik.projects UNION ALL SELECT 'datasets', COUNT(*) FROM opik.datasets"
    " UNION ALL SELECT 'prompts', COUNT(*) FROM opik.prompts"
)
COUNTS_CLICKHOUSE = (
    "SELECT 'traces', uniqExact(id) FROM opik.traces UNION ALL SELECT 'spans', uniqExact(id) FROM opik.spans ORDER BY 1"
)
"""By id: an update is a further row until a merge."""
SYNC = "exec sync"
"""What the stores have written goes from the node's memory to the disks; ClickHouse itself does not ask for that."""

_MYSQL = 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" exec mysql --user=root -N -B -e "$0"'
_CLICKHOUSE = 'exec clickhouse-client --multiquery --query "$0"'
_REDIS = "exec redis-cli save"

RunIn = Callable[..., str]
"""Runs a shell script in a container and returns what it prints: pod, script, `container`, `argument`."""


@dataclass(frozen=True)
class Stores:
    """Opik's stores in one cluster."""

    run_in: RunIn

    def mysql(self, statements: str) -> str:
        """Return what MySQL answers, as its administrator. Raises OperatorError."""
        return self.run_in("opik-mysql-0", _MYSQL, argument=statements)

    def clickhouse(self, statements: str) -> str:
        """Return what ClickHouse answers. Raises OperatorError."""
        return self.run_in(
            "chi-opik-clickhouse-cluster-0-0-0", _CLICKHOUSE, container="clickhouse", argument=statements
        )

    def flush(self) -> None:
        """Write everything that MySQL, Redis and ZooKeeper hold in memory to their disks. Raises OperatorError.

        ZooKeeper answers no write before it is on disk, and MinIO neither; `sync` covers what their nodes still hold.
        """
        self.mysql(FLUSH_MYSQL)
        self.run_in("opik-redis-master-0", _REDIS)
        self.run_in("opik-mysql-0", SYNC)
        self.run_in("opik-redis-master-0", SYNC)
        self.run_in("opik-zookeeper-0", SYNC)
        self.run_in("chi-opik-clickhouse-cluster-0-0-0", SYNC, container="clickhouse")

    def stop_merges(self) -> None:
        """Let ClickHouse write what waits, and begin no merge any more. Raises OperatorError."""
        try:
            self.clickhouse(FLUSH_INSERTS)
        except OperatorError as error:
            if NO_QUEUE not in error.message:
                raise
        self.clickhouse(STOP_MERGES)

    def read_only(self) -> list[str]:
        """Return the tables of ClickHouse that take no writes. Raises OperatorError."""
        return self.clickhouse(READ_ONLY).split()

    def merging(self) -> int:
        """Return how many merges and mutations ClickHouse is at. Raises OperatorError."""
        return _number(self.clickhouse(RUNNING_MERGES), "ClickHouse")

    def counts(self) -> dict[str, int]:
        """Return the rows of each kind. Raises OperatorError."""
        return {
            **_table(self.mysql(COUNTS_MYSQL), "MySQL"),
            **_table(self.clickhouse(COUNTS_CLICKHOUSE), "ClickHouse"),
        }


def stores_of(kubectl: Kubectl) -> Stores:
    """Return the stores in a cluster."""

    def run_in(pod: str, script: str, *, container: str = "", argument: str = "") -> str:
        chosen = ("-c", container) if container else ()
        return kubectl.run(
            *("exec", "-n", NAMESPACE, pod, *chosen, "--", "sh", "-c", script),
            *((argument,) if argument else ()),
            timeout_s=600,
        )

    return Stores(run_in)


def _number(text: str, store: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise OperatorError(f"{store} answers with no number: {text.strip()[:100] or 'nothing'}") from None


def _table(text: str, store: str) -> Mapping[str, int]:
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    if not rows or any(len(row) != 2 for row in rows):
        raise OperatorError(f"{store} answers with no counts: {text.strip()[:100] or 'nothing'}")
    return {name: _number(count, store) for name, count in rows}
