"""Opik in its cluster: what has been deployed, what has been migrated, what its pods say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.workload import settling
from scripts.core.errors import OperatorError
from scripts.opik.changelog import ANALYTICS, STATE, ChangeSetId
from scripts.opik.history import Revision, read_history
from scripts.opik.migration_history import QUERY, parse_rows

NAMESPACE = "opik"
RELEASE = "opik"
FRONTEND = ("opik-frontend", 5173)
"""Service and port of the page, which passes `/api/` on to the backend."""
BACKEND_PODS = "component=opik-backend"
MIGRATIONS = "backend-migrations"
"""Init container that migrates both databases."""

INSTALLATIONS = "clickhouseinstallations.clickhouse.altinity.com"

_MYSQL = ("opik-mysql-0", 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --user="$MYSQL_USER" -N -B -e "$0"')
_CLICKHOUSE = ("chi-opik-clickhouse-cluster-0-0-0", 'exec clickhouse-client --query "$0"')
_CLICKHOUSE_CONTAINER = "clickhouse"


@dataclass(frozen=True)
class OpikCluster:
    """Asks a cluster about its Opik."""

    kubectl: Kubectl

    def history(self) -> list[Revision]:
        """Return the revisions of the release that Helm still keeps. Raises OperatorError."""
        # In one or the other, as cluster.release_records says.
        records = self.kubectl.items("secrets,configmaps", "-n", NAMESPACE, "-l", f"owner=helm,name={RELEASE}")
        try:
            return read_history(records)
        except ValueError as error:
            raise OperatorError(str(error)) from None

    def migration_history(self) -> set[ChangeSetId]:
        """Return the migrations that both databases hold. Raises OperatorError when one cannot be asked.

        Passwords are taken from the environment inside the pods.
        """
        state = self.mysql(QUERY.format(database="opik"))
        analytics = self.clickhouse(QUERY.format(database="default"))
        try:
            return parse_rows(state, STATE) | parse_rows(analytics, ANALYTICS)
        except ValueError as error:
            raise OperatorError(str(error)) from None

    def mysql(self, statement: str) -> str:
        """Return what MySQL answers, a row a line with tabs between the columns. Raises OperatorError."""
        pod, script = _MYSQL
        return self.kubectl.run("exec", "-n", NAMESPACE, pod, "--", "sh", "-c", script, statement)

    def clickhouse(self, statement: str) -> str:
        """Return what ClickHouse answers, a row a line with tabs between the columns. Raises OperatorError."""
        pod, script = _CLICKHOUSE
        return self.kubectl.run(
            "exec", "-n", NAMESPACE, pod, "-c", _CLICKHOUSE_CONTAINER, "--", "sh", "-c", script, statement
        )

    def waiting_workloads(self) -> list[str]:
        """Return what has not settled yet, each with what it lacks: workloads, and ClickHouse's installation.

        Ready pods alone say nothing: until a change has been seen and every pod replaced they are the old ones.
        """
        workloads = self.kubectl.items("deployments,statefulsets", "-n", NAMESPACE)
        installations = self.kubectl.items(INSTALLATIONS, "-n", NAMESPACE)
        found = [(item, settling(item)) for item in workloads] + [(item, _incomplete(item)) for item in installations]
        return sorted(f"{item['metadata']['name']} {lacking}" for item, lacking in found if lacking)


def _incomplete(installation: Mapping[str, Any]) -> str:
    state = installation.get("status", {}).get("status", "")
    return "" if state == "Completed" else f"is {state or 'not there yet'}, not Completed"
