"""Opik in its cluster: what has been deployed, what has been migrated, what its pods say."""

from dataclasses import dataclass

from scripts.opik.changelog import ANALYTICS, STATE, ChangeSetId
from scripts.opik.history import Revision, read_history
from scripts.opik.ledger import QUERY, parse_rows

from .errors import OperatorError
from .kubectl import Kubectl

NAMESPACE = "opik"
RELEASE = "opik"
FRONTEND = ("opik-frontend", 5173)
"""Service and port of the page, which passes `/api/` on to the backend."""
BACKEND_PODS = "component=opik-backend"
MIGRATIONS = "backend-migrations"
"""Init container that migrates both databases."""

_MYSQL = ("opik-mysql-0", 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --user="$MYSQL_USER" -N -B -e "$0"')
_CLICKHOUSE = ("chi-opik-clickhouse-cluster-0-0-0", 'exec clickhouse-client --query "$0"')
_CLICKHOUSE_CONTAINER = "clickhouse"


@dataclass(frozen=True)
class OpikCluster:
    """Asks a cluster about its Opik."""

    kubectl: Kubectl

    def history(self) -> list[Revision]:
        """Return the revisions of the release that Helm still keeps. Raises OperatorError."""
        secrets = self.kubectl.items("secrets", "-n", NAMESPACE, "-l", f"owner=helm,name={RELEASE}")
        try:
            return read_history(secrets)
        except ValueError as error:
            raise OperatorError(str(error)) from None

    def ledger(self) -> set[ChangeSetId]:
        """Return the migrations that both databases hold. Raises OperatorError when one cannot be asked.

        Passwords are taken from the environment inside the pods.
        """
        pod, script = _MYSQL
        state = self.kubectl.run("exec", "-n", NAMESPACE, pod, "--", "sh", "-c", script, QUERY.format(database="opik"))
        pod, script = _CLICKHOUSE
        analytics = self.kubectl.run(
            "exec", "-n", NAMESPACE, pod, "-c", _CLICKHOUSE_CONTAINER, "--",
            "sh", "-c", script, QUERY.format(database="default"),
        )  # fmt: skip
        try:
            return parse_rows(state, STATE) | parse_rows(analytics, ANALYTICS)
        except ValueError as error:
            raise OperatorError(str(error)) from None

    def waiting_workloads(self) -> list[str]:
        """Return the workloads that have fewer ready pods than they want, with both numbers."""
        found = []
        for item in self.kubectl.items("deployments,statefulsets", "-n", NAMESPACE):
            wanted = item["spec"].get("replicas", 1)
            ready = item.get("status", {}).get("readyReplicas", 0)
            if ready < wanted:
                found.append(f"{item['metadata']['name']} {ready}/{wanted}")
        return sorted(found)
