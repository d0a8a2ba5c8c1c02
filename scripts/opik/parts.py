"""Opik's parts by the words that people use: what runs each, and in which order they start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.workload import Workload
from stacks.platform.components.opik.names import NAMESPACE
from stacks.platform.components.opik.settling import WORKLOADS


class PartName(StrEnum):
    """A part as a command line names it."""

    ZOOKEEPER = "zookeeper"
    CLICKHOUSE = "clickhouse"
    MYSQL = "mysql"
    REDIS = "redis"
    MINIO = "minio"
    PYTHON_BACKEND = "python-backend"
    BACKEND = "backend"
    FRONTEND = "frontend"
    GUARDRAILS = "guardrails"
    LOGIN = "login"


@dataclass(frozen=True)
class Part:
    """One part of Opik."""

    name: PartName
    workload: str
    """As kubectl names it: `deployment/opik-backend`."""
    container: str
    """The container that does the work, beside sidecars."""
    optional: bool = False
    """Whether an environment may be without it."""

    def of(self, kubectl: Kubectl) -> Workload:
        """Return what runs it in a cluster."""
        return Workload(kubectl, NAMESPACE, self.workload, container=self.container)


PARTS: Sequence[Part] = (
    Part(PartName.ZOOKEEPER, WORKLOADS["zookeeper"], "zookeeper"),
    Part(PartName.CLICKHOUSE, WORKLOADS["clickhouse"], "clickhouse"),
    Part(PartName.MYSQL, WORKLOADS["mysql"], "mysql"),
    Part(PartName.REDIS, WORKLOADS["redis"], "redis"),
    Part(PartName.MINIO, WORKLOADS["minio"], "minio"),
    Part(PartName.PYTHON_BACKEND, "deployment/opik-python-backend", "opik-python-backend", optional=True),
    Part(PartName.BACKEND, "deployment/opik-backend", "opik-backend"),
    Part(PartName.FRONTEND, "deployment/opik-frontend", "opik-frontend"),
    Part(PartName.GUARDRAILS, "deployment/opik-guardrails", "guardrails", optional=True),
    Part(PartName.LOGIN, "deployment/oauth2-proxy", "oauth2-proxy"),
)
"""In the order in which they start; they stop in reverse."""

BY_NAME: Mapping[PartName, Part] = {part.name: part for part in PARTS}

_MINIO_ADDRESS = 'MC_CONFIG_DIR=/tmp/.mc MC_HOST_opik="http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:9000"'

CLIENTS: Mapping[str, tuple[PartName, str]] = {
    "mysql-shell": (PartName.MYSQL, 'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --user="$MYSQL_USER" opik'),
    "clickhouse-shell": (PartName.CLICKHOUSE, "exec clickhouse-client"),
    "redis-cli": (PartName.REDIS, "exec redis-cli"),
    "minio-shell": (PartName.MINIO, f'export {_MINIO_ADDRESS}; echo "mc ls opik lists the buckets"; exec sh'),
}
"""Command to the part that it enters and the shell line that starts the client there.

Logins come from the environment inside the pod, or from what the client reads by itself; none is in an argument.
"""


def of_release(kubectl: Kubectl) -> list[Part]:
    """Return the parts that the cluster has. Raises OperatorError."""
    there = {
        f"{item['kind'].lower()}/{item['metadata']['name']}"
        for item in kubectl.items("deployments,statefulsets", "-n", NAMESPACE)
    }
    return [part for part in PARTS if not part.optional or part.workload in there]
