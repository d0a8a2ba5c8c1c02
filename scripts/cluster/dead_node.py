"""A node that is gone for good: its pods are let go, so that their disks can be attached elsewhere.

Kubernetes keeps a StatefulSet's pods on a node that does not answer, because they might still write. The taint
`out-of-service` says that nothing runs there any more: pods are deleted by force and volumes detached
(https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown).
"""

from scripts.core.errors import ExitCode, OperatorError

from .kubectl import Kubectl

TAINT = "node.kubernetes.io/out-of-service"


def stuck_pods(kubectl: Kubectl, node: str) -> list[str]:
    """Return the pods that wait on a node which does not answer, DaemonSets' left out.

    Raises OperatorError (REFUSED) for a node that answers, or that there is none of this name.
    """
    nodes = {item["metadata"]["name"]: item for item in kubectl.items("nodes")}
    if node not in nodes:
        known = ", ".join(sorted(nodes)) or "none"
        raise OperatorError(f"there is no node {node}", f"the nodes are: {known}", ExitCode.REFUSED)
    conditions = nodes[node].get("status", {}).get("conditions", [])
    if any(found["type"] == "Ready" and found["status"] == "True" for found in conditions):
        raise OperatorError(
            f"{node} answers, and its pods may be writing; nothing was done",
            f"to empty a node that answers: kubectl drain {node} --ignore-daemonsets --delete-emptydir-data",
            ExitCode.REFUSED,
        )
    return sorted(
        f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in kubectl.items("pods", "--all-namespaces", "--field-selector", f"spec.nodeName={node}")
        if not any(owner["kind"] == "DaemonSet" for owner in item["metadata"].get("ownerReferences", []))
    )


def take_out_of_service(kubectl: Kubectl, node: str) -> None:
    """Let go of everything on `node`. Raises OperatorError."""
    kubectl.run("taint", "nodes", node, f"{TAINT}=nodeshutdown:NoExecute", "--overwrite")


def return_to_service(kubectl: Kubectl, node: str) -> None:
    """Let pods run on `node` again, after it was repaired. Raises OperatorError."""
    kubectl.run("taint", "nodes", node, f"{TAINT}-")
