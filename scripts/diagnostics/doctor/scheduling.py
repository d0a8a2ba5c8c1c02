"""Pods that no node takes: quotas of namespace and subscription, capacity, taints, room."""

from collections.abc import Iterator

from .problem import Finding, Problem
from .snapshot import Object, Snapshot, condition, name_of, running_pods, short, values_of, waits_for_a_node

PATIENCE_MINUTES = 5
"""How long a pod may wait without being a problem."""

QUOTA = Problem(
    id="pod-quota",
    title="A namespace's quota refuses a pod",
    symptoms=("exceeded quota", "FailedCreate", "is forbidden: exceeded quota"),
    why="The namespace has as many pods, processors or GPUs as its ResourceQuota allows.",
    fix="Raise the setting that asks for more pods than the quota was made for, or lower it: `llmctl env check {ENV}`"
    " says which; then `llmctl deploy {ENV} platform`.",
)
AZURE_QUOTA = Problem(
    id="azure-quota",
    title="The subscription's vCPU quota is used up",
    symptoms=("QuotaExceeded", "exceeding approved", "Cores quota", "OperationNotAllowed", "LowPriorityCores"),
    why="Azure refuses another node of this family, regular or spot, in this region.",
    fix="`llmctl preflight {ENV}` shows quota and use of every family; ask for more under Quotas in the portal,"
    " or name a smaller size or `max_nodes`.",
)
CAPACITY = Problem(
    id="spot-capacity",
    title="Azure has no capacity of this size now",
    symptoms=(
        "AllocationFailed",
        "ZonalAllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "in backoff after failed scale-up",
    ),
    why="Spot capacity comes and goes; the autoscaler tries again after some minutes.",
    fix="Wait, or give the pool more zones or another size in `cluster.gpu_pools`, or the model a second pool:"
    " `pool: [spot, regular]`.",
)
TAINT = Problem(
    id="untolerated-taint",
    title="No node takes a pod: a taint that it does not tolerate",
    symptoms=("had untolerated taint", "node(s) had taint", "FailedScheduling"),
    why="The pod asks for a node that its tolerations do not let it on, mostly a GPU or spot pool.",
    fix="Compare the pod's tolerations with the node's taints: `kubectl describe pod {pod} -n {namespace}`; pods of the"
    " platform get theirs from `llmctl deploy {ENV} platform`.",
)
NO_ROOM = Problem(
    id="no-room",
    title="No node has room for a pod",
    symptoms=("Insufficient cpu", "Insufficient memory", "Insufficient nvidia.com/gpu", "NotTriggerScaleUp"),
    why="Every node is full, and no pool may grow to take the pod, or the pod is larger than any node.",
    fix="Raise the largest size of the pool (`max_nodes`), or ask for less; `llmctl env check {ENV}` sums what is asked"
    " for, `llmctl status {ENV}` shows the nodes.",
)

_FULL = ("QuotaExceeded", "exceeding approved", "Cores quota", "LowPriorityCores")


def find(seen: Snapshot) -> Iterator[Finding]:
    """Return why pods are not made, or wait for a node."""
    yield from _refused_by_quota(seen)
    for pod in running_pods(seen):
        if waits_for_a_node(pod):
            yield from _unscheduled(seen, pod)


def _refused_by_quota(seen: Snapshot) -> Iterator[Finding]:
    latest: dict[str, Object] = {}
    for event in seen.of("events"):
        if event.get("reason") == "FailedCreate" and "exceeded quota" in str(event.get("message")):
            about = event["involvedObject"]
            latest[f"{about.get('namespace')}/{about.get('name')}"] = event
    for where, event in latest.items():
        if seen.minutes_since(event.get("lastTimestamp")) < 60:
            yield Finding(problem=QUOTA, where=where, detail=short(event["message"]))


def _unscheduled(seen: Snapshot, pod: Object) -> Iterator[Finding]:
    if seen.minutes_since(pod["metadata"].get("creationTimestamp")) < PATIENCE_MINUTES:
        return
    scaling = next(seen.events_of(pod, "FailedScaleUp", "NotTriggerScaleUp", "TriggeredScaleUp"), None)
    said = str((scaling or {}).get("message", ""))
    scheduling = next(seen.events_of(pod, "FailedScheduling"), None)
    why = str((scheduling or {}).get("message") or condition(pod, "PodScheduled").get("message", ""))
    both = f"{said} {why}"
    if any(word in both for word in _FULL):
        problem = AZURE_QUOTA
    elif any(word in both for word in CAPACITY.symptoms):
        problem = CAPACITY
    elif "Insufficient" in why:
        problem = NO_ROOM
    elif "taint" in why:
        problem = TAINT
    else:
        problem = NO_ROOM
    if problem in (AZURE_QUOTA, CAPACITY) and said:
        why = said
    yield Finding(problem=problem, where=name_of(pod), detail=short(why or "not scheduled"), values=values_of(pod))
