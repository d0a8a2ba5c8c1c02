"""Workloads scaled to zero for a while, with a note on each of how many pods it had, so that none stays down."""

import json

from .kubectl import Kubectl

REPLICAS_BEFORE = "platform/replicas-before"
"""Annotation of a workload that something scaled to zero: how many pods it had."""

_KINDS = "deployments,statefulsets"
_PATIENCE = "--timeout=15m"
_PATIENCE_S = 960.0


def pause(kubectl: Kubectl, namespace: str, workload: str) -> None:
    """Scale `workload`, written `statefulset/name`, to zero and wait until its pods are gone. Raises OperatorError.

    What is paused already keeps the number that it had before.
    """
    found = kubectl.json("get", *workload.split("/"), "-n", namespace)
    replicas = int(found["spec"].get("replicas", 1))
    if replicas:
        # Note and number in one write: nothing in between can lose the note.
        change = {"metadata": {"annotations": {REPLICAS_BEFORE: str(replicas)}}, "spec": {"replicas": 0}}
        kubectl.run("patch", workload, "-n", namespace, "--type=merge", "-p", json.dumps(change))
    selector = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
    kubectl.run("wait", "pod", "-l", selector, "-n", namespace, "--for=delete", _PATIENCE, timeout_s=_PATIENCE_S)


def resume(kubectl: Kubectl, namespace: str, workload: str) -> bool:
    """Give a paused workload its pods back; return whether it was paused. Raises OperatorError."""
    found = kubectl.json("get", *workload.split("/"), "-n", namespace)
    before = found["metadata"].get("annotations", {}).get(REPLICAS_BEFORE)
    if before is None:
        return False
    change: dict[str, object] = {"metadata": {"annotations": {REPLICAS_BEFORE: None}}}
    if not found["spec"].get("replicas", 1):
        change["spec"] = {"replicas": int(before)}
    kubectl.run("patch", workload, "-n", namespace, "--type=merge", "-p", json.dumps(change))
    return True


def paused_workloads(kubectl: Kubectl) -> list[tuple[str, str]]:
    """Return namespace and `kind/name` of every workload that is paused. Raises OperatorError."""
    return [
        (item["metadata"]["namespace"], f"{item['kind'].lower()}/{item['metadata']['name']}")
        for item in kubectl.items(_KINDS, "--all-namespaces")
        if REPLICAS_BEFORE in item["metadata"].get("annotations", {})
    ]
