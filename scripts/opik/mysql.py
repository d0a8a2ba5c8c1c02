"""A data directory of MySQL whose first start was cut off: it looks initialised, so no start will ever finish it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.cluster.kubectl import Kubectl
from scripts.core.consent import confirm_by_name
from scripts.core.console import TERMINAL, Terminal, err
from scripts.core.errors import ExitCode, OperatorError
from scripts.opik.cluster import NAMESPACE
from stacks.platform.common.restricted import RESTRICTED_CONTAINER, restricted_pod

STATEFUL_SET = "opik-mysql"
CLAIM = "opik-mysql"
FOLDER = "/bitnami/mysql/data"
"""Where helm/opik's chart keeps the data, below the disk's mount."""
_MOUNT = "/bitnami/mysql"
_USER = 999
_WAITING_CONTAINER = "wait-for-mysql-service"
_PATIENCE = "--timeout=30m"
_PATIENCE_S = 1860.0

LOOK = f"""
cd {FOLDER} 2>/dev/null || {{ echo 'initialised=no kib=0 tables=0'; exit; }}
initialised=no; if [ -d mysql ]; then initialised=yes; fi
set -- opik/*.ibd
if [ ! -e "$1" ]; then shift; fi
echo "initialised=$initialised kib=$(du -sk . | cut -f1) tables=$#"
"""
EMPTY = f"cd {FOLDER} && find . -mindepth 1 -maxdepth 1 -exec rm -rf {{}} + && echo emptied"


@dataclass(frozen=True)
class DataDirectory:
    """What lies on MySQL's disk."""

    initialised: bool
    """Whether MySQL takes it for initialised."""
    kib: int
    tables: int
    """Tables of Opik's own database, which migrations make after the first start has ended."""

    @classmethod
    def parse(cls, text: str) -> "DataDirectory":
        """Return what the script `LOOK` printed. Raises OperatorError for anything else."""
        fields = dict(word.split("=", 1) for line in text.splitlines()[-1:] for word in line.split() if "=" in word)
        try:
            return cls(fields["initialised"] == "yes", int(fields["kib"]), int(fields["tables"]))
        except (KeyError, ValueError):
            raise OperatorError(f"what lies on MySQL's disk cannot be read: {text.strip() or 'no answer'}") from None


def empty_half_made(kubectl: Kubectl, disk: str, confirmed: str | None, terminal: Terminal = TERMINAL) -> None:
    """Empty MySQL's data directory when no first start has finished it, and start MySQL again.

    `disk` is the name that has to be typed, or handed over as `confirmed`. Raises OperatorError (REFUSED) when MySQL
    runs, when the directory holds tables of Opik or nothing at all, and without the name; MySQL is started again then.
    """
    (found,) = kubectl.items("statefulsets", "-n", NAMESPACE, "--field-selector", f"metadata.name={STATEFUL_SET}") or (
        None,
    )
    if found is None:
        raise OperatorError(f"there is no {STATEFUL_SET} in {NAMESPACE}", "llmctl deploy", ExitCode.NOT_READY)
    if found.get("status", {}).get("readyReplicas", 0):
        raise OperatorError("MySQL runs, so its data directory is whole; nothing was done", code=ExitCode.REFUSED)
    image = _shell_image(kubectl)
    with _stopped(kubectl):
        directory = DataDirectory.parse(_run(kubectl, "opik-mysql-look", image, LOOK))
        if directory.tables:
            raise OperatorError(
                f"{FOLDER} on {disk} holds {directory.tables} tables of Opik, so it is not half-made; left alone",
                f"read why MySQL does not start: kubectl -n {NAMESPACE} logs {STATEFUL_SET}-0",
                ExitCode.REFUSED,
            )
        if not directory.initialised:
            raise OperatorError(
                f"{FOLDER} on {disk} is not initialised at all: the next start does that; nothing was done",
                code=ExitCode.REFUSED,
            )
        err.print(
            f"All of {FOLDER} on the disk {disk} would be deleted: {directory.kib // 1024} MiB, no table of Opik.",
            markup=False,
        )
        confirm_by_name(
            disk, confirmed, f"Delete everything in {FOLDER} on this disk?", done="deleted", terminal=terminal
        )
        if "emptied" not in _run(kubectl, "opik-mysql-empty", image, EMPTY):
            raise OperatorError(f"{FOLDER} could not be emptied", "run this again")
    err.print("Waiting until MySQL has initialised it again")
    kubectl.run("rollout", "status", f"statefulset/{STATEFUL_SET}", "-n", NAMESPACE, _PATIENCE, timeout_s=_PATIENCE_S)


@contextmanager
def _stopped(kubectl: Kubectl) -> Iterator[None]:
    """Within, MySQL has no pod, so that another one can mount its disk; afterwards it has one again."""
    workload = f"statefulset/{STATEFUL_SET}"
    kubectl.run("scale", workload, "-n", NAMESPACE, "--replicas=0")
    try:
        kubectl.run(
            "wait", f"pod/{STATEFUL_SET}-0", "-n", NAMESPACE, "--for=delete", "--timeout=5m", timeout_s=_PATIENCE_S
        )
        yield
    finally:
        kubectl.run("scale", workload, "-n", NAMESPACE, "--replicas=1")


def _run(kubectl: Kubectl, name: str, image: str, script: str) -> str:
    """Run a script in a pod with MySQL's disk and return what it prints. Raises OperatorError."""
    kubectl.run("delete", f"pod/{name}", "-n", NAMESPACE, "--ignore-not-found", "--wait")
    overrides = json.dumps({"spec": pod(name, image, script)})
    kubectl.run("run", name, "-n", NAMESPACE, f"--image={image}", "--restart=Never", f"--overrides={overrides}")
    try:
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl.run("wait", f"pod/{name}", "-n", NAMESPACE, ended, _PATIENCE, timeout_s=_PATIENCE_S)
        return kubectl.run("logs", "-n", NAMESPACE, "--tail=-1", name)
    finally:
        kubectl.run("delete", f"pod/{name}", "-n", NAMESPACE, "--ignore-not-found", "--wait=false")


def pod(name: str, image: str, script: str) -> dict[str, Any]:
    """Return the specification of a pod that runs `script` as MySQL's user, on MySQL's disk."""
    return {
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": restricted_pod(_USER),
        "containers": [
            {
                "name": name,
                "image": image,
                "command": ["sh", "-c", script],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"cpu": "500m", "memory": "128Mi"},
                },
                "securityContext": {**RESTRICTED_CONTAINER, "readOnlyRootFilesystem": True},
                "volumeMounts": [{"name": "data", "mountPath": _MOUNT}],
            }
        ],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIM}}],
    }


def _shell_image(kubectl: Kubectl) -> str:
    """Return an image with a shell that the cluster's policy lets run here: the one that waits for MySQL."""
    for item in kubectl.items("deployments", "-n", NAMESPACE, "--field-selector", "metadata.name=opik-backend"):
        for container in item["spec"]["template"]["spec"].get("initContainers", []):
            if container["name"] == _WAITING_CONTAINER:
                return str(container["image"])
    raise OperatorError("the backend of Opik is not deployed", "llmctl deploy", ExitCode.NOT_READY)
