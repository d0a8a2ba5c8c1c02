"""Workloads scaled to zero for a while, with a note on each of how many pods it had, so that none stays down."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .kubectl import Kubectl

REPLICAS_BEFORE = "platform/replicas-before"
"""Annotation of a workload that something scaled to zero: how many pods it had."""

_KINDS = "deployments,statefulsets"
_PATIENCE = "--timeout=15m"
_PATIENCE_S = 960.0


def stopping(workload: Mapping[str, Any], mark: str, marks: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the change that scales a workload to zero and notes under `mark` how many pods it had.

    Note and number are one write: nothing in between can lose the note. `marks` are noted with it.
    """
    replicas = str(int(workload["spec"].get("replicas", 1)))
    return {"metadata": {"annotations": {mark: replicas, **(marks or {})}}, "spec": {"replicas": 0}}


def starting(workload: Mapping[str, Any], mark: str, marks: Iterable[str] = ()) -> dict[str, Any]:
    """Return the change that gives a workload the pods that it had, and removes the notes.

    A deployment meanwhile may have brought its own number, which stays.
    """
    change: dict[str, Any] = {"metadata": {"annotations": dict.fromkeys([mark, *marks])}}
    before = (workload["metadata"].get("annotations") or {}).get(mark)
    if before is not None and not workload["spec"].get("replicas", 1):
        change["spec"] = {"replicas": int(before)}
    return change


def pause(kubectl: Kubectl, namespace: str, workload: str) -> None:
    """Scale `workload`, written `statefulset/name`, to zero and wait until its pods are gone. Raises OperatorError.

    What is paused already keeps the number that it had before.
    """
    found = kubectl.json("get", *workload.split("/"), "-n", namespace)
    if found["spec"].get("replicas", 1):
        change = json.dumps(stopping(found, REPLICAS_BEFORE))
        kubectl.run("patch", workload, "-n", namespace, "--type=merge", "-p", change)
    selector = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
    kubectl.run("wait", "pod", "-l", selector, "-n", namespace, "--for=delete", _PATIENCE, timeout_s=_PATIENCE_S)


def resume(kubectl: Kubectl, namespace: str, workload: str) -> bool:
    """Give a paused workload its pods back; return whether it was paused. Raises OperatorError."""
    found = kubectl.json("get", *workload.split("/"), "-n", namespace)
    if REPLICAS_BEFORE not in found["metadata"].get("annotations", {}):
        return False
    change = json.dumps(starting(found, REPLICAS_BEFORE))
    kubectl.run("patch", workload, "-n", namespace, "--type=merge", "-p", change)
    return True


def paused_workloads(kubectl: Kubectl) -> list[tuple[str, str]]:
    """Return namespace and `kind/name` of every workload that is paused. Raises OperatorError."""
    return [
        (item["metadata"]["namespace"], f"{item['kind'].lower()}/{item['metadata']['name']}")
        for item in kubectl.items(_KINDS, "--all-namespaces")
        if REPLICAS_BEFORE in item["metadata"].get("annotations", {})
    ]
