"""What the cluster's own monitoring sees of backups: an object whose time of creation is that of the newest set.

kube-state-metrics tells when Jobs were created, and may read no ConfigMap or Secret. A suspended Job has no pod.
"""

import json

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.overview import BACKUP_LABEL, NEWEST_BACKUP
from scripts.opik.cluster import NAMESPACE

NAME, SET_LABEL = NEWEST_BACKUP, BACKUP_LABEL


def job(set_id: str) -> dict[str, object]:
    """Return the Job."""
    container = {"name": "none", "image": "none", "command": ["none"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {SET_LABEL: set_id}},
        "spec": {
            "suspend": True,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "containers": [container],
                }
            },
        },
    }


def mark_newest(kubectl: Kubectl, set_id: str) -> None:
    """Let the monitoring know that a set was made now. Raises KubectlError."""
    kubectl.run("delete", "job", NAME, "-n", NAMESPACE, "--ignore-not-found")
    kubectl.run("create", "-f", "-", given=json.dumps(job(set_id)))
