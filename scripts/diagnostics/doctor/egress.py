"""Pods that were made before the egress proxy or the roots that the environment has now."""

from collections import defaultdict
from collections.abc import Iterator

from .problem import Finding, Problem
from .snapshot import Object, Snapshot

POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
NAMES = ("egress-proxy", "trusted-roots", "bundled-roots")
"""Policies of the component `egress`; each has its mark in an annotation of its own name."""

OLD_EGRESS = Problem(
    id="old-egress",
    title="Pods still use another proxy, or believe other roots",
    symptoms=("certificate verify failed", "x509: certificate signed by unknown authority", "proxyconnect tcp"),
    why="Pods are given proxy and roots as they are made; these are older than the present policy.",
    fix="Replace them: `kubectl rollout restart deployment,statefulset -n {namespace}`.",
)


def find(seen: Snapshot) -> Iterator[Finding]:
    """Yield a problem for each namespace with such pods."""
    for policy in seen.of(POLICIES):
        name = policy["metadata"]["name"]
        if name not in NAMES:
            continue
        mark = f"platform/{name}"
        stated = (policy["metadata"].get("annotations") or {}).get(mark)
        old, chosen = defaultdict(list), _namespaces(policy, seen)
        for pod in seen.of("pods"):
            meta = pod["metadata"]
            runs = meta["namespace"] in chosen and (pod.get("status") or {}).get("phase") == "Running"
            if runs and (meta.get("annotations") or {}).get(mark) != stated:
                old[meta["namespace"]].append(meta["name"])
        for namespace, pods in old.items():
            others = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
            yield Finding(
                problem=OLD_EGRESS,
                where=namespace,
                detail=f"{pods[0]}{others}: made before the present policy {name}",
                values={"namespace": namespace},
            )


def _namespaces(policy: Object, seen: Snapshot) -> set[str]:
    """Return the namespaces that a policy names, or whose label it asks for."""
    (asked,) = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    if asked["key"] == "kubernetes.io/metadata.name":
        return set(asked["values"])
    labels = {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in seen.of("namespaces")}
    return {name for name, found in labels.items() if found.get(asked["key"]) in asked["values"]}
