"""psql in a pod of its own, beside the Job that makes the databases: its image, its certificates, its Secret.

The password of the database's owner is read from the mounted Secret inside the pod: it is in no argument, no
environment of this machine and on no screen.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.cluster.api import ClusterApi, Object
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.workload import Workload
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.databases.jobs import JOB, NAMESPACE

HOURS = 4
"""Longest life of the pod, should this machine go away before it is deleted."""
READY = "--timeout=5m"
READ_ONLY = "-c default_transaction_read_only=on"
_PSQL = (
    'PGPASSWORD=$(cat "$SECRETS/$0") PGUSER="$0" PGDATABASE="$0" PGOPTIONS="$1" PGAPPNAME=llmctl-shell'
    " PSQL_HISTORY=/dev/null exec psql --no-psqlrc"
)
"""Its arguments are the database, which is its owner's name too, and options of the session."""


@dataclass(frozen=True)
class DatabaseShell:
    """Sessions on the databases of one environment."""

    kubectl: Kubectl
    api: ClusterApi

    def open(self, database: str, *, write: bool) -> int:
        """Open psql in the terminal and return its exit status; without `write` every transaction is read-only.

        Raises OperatorError.
        """
        with self._pod() as name:
            workload = Workload(self.kubectl, NAMESPACE, f"pod/{name}")
            return workload.shell("sh", "-c", _PSQL, database, "" if write else READ_ONLY)

    @contextmanager
    def _pod(self) -> Iterator[str]:
        made = pod(self._job(), f"llmctl-psql-{secrets.token_hex(3)}")
        name = str(made["metadata"]["name"])
        self.kubectl.run("create", "-f", "-", given=json.dumps(made))
        try:
            self.kubectl.run("wait", f"pod/{name}", "-n", NAMESPACE, "--for=condition=Ready", READY, timeout_s=360)
            yield name
        finally:
            self.kubectl.run("delete", "pod", name, "-n", NAMESPACE, "--ignore-not-found", "--wait=false")

    def _job(self) -> Object:
        jobs = [job for job in self.api.items("jobs", NAMESPACE) if job["metadata"]["name"].startswith(f"{JOB}-")]
        if not jobs:
            raise OperatorError(
                f"the cluster has no Job {JOB} in {NAMESPACE}", "llmctl deploy ENV platform", ExitCode.NOT_READY
            )
        return max(jobs, key=lambda job: str(job["metadata"].get("creationTimestamp", "")))


def pod(job: Mapping[str, Any], name: str) -> Object:
    """Return a pod like those of the Job, which waits until it is deleted."""
    spec = json.loads(json.dumps(job["spec"]["template"]["spec"]))
    (container,) = spec["containers"]
    container["command"], container["args"] = ["sleep", str(HOURS * 3600)], []
    # The Job's identity reads the administrator's password from the vault; a session is the owner's.
    for key in ("serviceAccountName", "serviceAccount"):
        spec.pop(key, None)
    spec.update(automountServiceAccountToken=False)
    spec.update(restartPolicy="Never", activeDeadlineSeconds=HOURS * 3600, terminationGracePeriodSeconds=1)
    labels = {
        key: value
        for key, value in (job["spec"]["template"]["metadata"].get("labels") or {}).items()
        if not key.endswith(("job-name", "controller-uid", "identity/use"))
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": spec,
    }
