"""A cluster at a glance, out of what its API lists: workloads, what waits and why, nodes, GPUs, certificates."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .api import ClusterApi
from .pausing import REPLICAS_BEFORE
from .workload import pod_state

KINDS = {
    "nodes": "Node",
    "pods": "Pod",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
}
"""What is asked for, and its kind: objects of a list do not bear it."""
NEWEST_BACKUP = "newest-backup-set"
"""Job, suspended for ever, that `llmctl backup create` leaves: it bears the set's id, and is as old as the set."""
BACKUP_LABEL = "platform/backup-set"
GPU = "nvidia.com/gpu"
_POOL = "kubernetes.azure.com/agentpool"
_SIZE = "node.kubernetes.io/instance-type"
_PRIORITY = "kubernetes.azure.com/scalesetpriority"

Item = Mapping[str, Any]


@dataclass(frozen=True)
class WorkloadState:
    """A Deployment, StatefulSet or DaemonSet."""

    namespace: str
    kind: str
    name: str
    ready: int
    wanted: int
    stopped: bool
    """Whether a command of `llmctl` scaled it to zero for a while."""


@dataclass(frozen=True)
class Waiting:
    """A pod that does not run as it should."""

    namespace: str
    name: str
    why: str
    """In the words of Kubernetes."""
    minutes: int
    """Since it was created, or has been going away."""


@dataclass(frozen=True)
class NodeState:
    """Nodes of one pool that are alike."""

    pool: str
    size: str
    spot: bool
    nodes: int
    ready: int
    gpus: int
    """That pods may use."""


@dataclass(frozen=True)
class CertificateState:
    """A certificate of cert-manager."""

    namespace: str
    name: str
    days_left: int | None
    """None while none has been issued."""
    trouble: str
    """Why it is not ready; empty when it is."""


@dataclass(frozen=True)
class Backup:
    """The newest backup set."""

    set_id: str
    hours: int
    """Since it was made."""


@dataclass(frozen=True)
class Overview:
    """What a cluster says of itself at one moment."""

    workloads: tuple[WorkloadState, ...]
    waiting: tuple[Waiting, ...]
    nodes: tuple[NodeState, ...]
    gpus_in_use: int
    certificates: tuple[CertificateState, ...]
    backup: Backup | None = None
    """None where no set was made yet."""
    scalers: tuple[Item, ...] = ()
    """KEDA's ScaledObjects as the API lists them."""
    deployments: tuple[Item, ...] = ()
    """As the API lists them."""


def overview(api: ClusterApi, now: datetime) -> Overview:
    """Ask the cluster; one that is half deployed may know no certificates and no scalers yet. Raises OperatorError."""
    custom = ("certificates", "scaledobjects")
    with ThreadPoolExecutor(len(KINDS) + len(custom) + 1) as pool:
        asked = {plural: pool.submit(api.items, plural) for plural in KINDS}
        beside = {plural: pool.submit(api.known_items, plural) for plural in custom}
        jobs = pool.submit(api.items, "jobs", fields=f"metadata.name={NEWEST_BACKUP}")
    found = [{**item, "kind": KINDS[plural]} for plural, task in asked.items() for item in task.result()]
    return replace(
        read(found, beside["certificates"].result(), now),
        backup=next(iter(_backups(jobs.result(), now)), None),
        scalers=tuple(beside["scaledobjects"].result()),
        deployments=tuple(item for item in found if item["kind"] == "Deployment"),
    )


def read(items: Iterable[Item], certificates: Iterable[Item], now: datetime) -> Overview:
    """Return the overview of objects that bear their kind."""
    by_kind: dict[str, list[Item]] = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    nodes = by_kind.get("Node", [])
    away = {node["metadata"]["name"] for node in nodes if not _is_ready(node)}
    pods = by_kind.get("Pod", [])
    return Overview(
        workloads=tuple(
            _workload(item) for kind in ("Deployment", "StatefulSet", "DaemonSet") for item in by_kind.get(kind, [])
        ),
        waiting=tuple(sorted(_waiting(pods, away, now), key=lambda pod: (pod.namespace, pod.name))),
        nodes=tuple(_pools(nodes)),
        gpus_in_use=sum(_gpus_of(pod) for pod in pods),
        certificates=tuple(_certificate(item, now) for item in certificates),
    )


def _workload(item: Item) -> WorkloadState:
    meta, status = item["metadata"], item.get("status") or {}
    daemon = item["kind"] == "DaemonSet"
    return WorkloadState(
        namespace=meta["namespace"],
        kind=item["kind"],
        name=meta["name"],
        ready=status.get("numberReady" if daemon else "readyReplicas") or 0,
        wanted=(status.get("desiredNumberScheduled") or 0) if daemon else item["spec"].get("replicas", 1),
        stopped=REPLICAS_BEFORE in (meta.get("annotations") or {}),
    )


def _waiting(pods: Iterable[Item], away: set[str], now: datetime) -> Iterator[Waiting]:
    for pod in pods:
        meta = pod["metadata"]
        leaves = meta.get("deletionTimestamp")
        state = pod_state(pod, "")
        phase = (pod.get("status") or {}).get("phase", "")
        if leaves and state.node in away:
            why = f"Terminating, but its node {state.node} does not answer"
        elif leaves or phase == "Succeeded" or state.ready:
            continue
        else:
            reason = (pod.get("status") or {}).get("reason", "")
            why = state.trouble or reason or ("failed" if phase == "Failed" else "starting")
        yield Waiting(meta["namespace"], meta["name"], why, _minutes(leaves or meta.get("creationTimestamp"), now))


def _pools(nodes: Iterable[Item]) -> Iterator[NodeState]:
    all_, ready, gpus = Counter[tuple[str, str, bool]](), Counter[tuple[str, str, bool]](), Counter[Any]()
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        key = (labels.get(_POOL, "?"), labels.get(_SIZE, "?"), labels.get(_PRIORITY) == "spot")
        all_[key] += 1
        if _is_ready(node):
            ready[key] += 1
            gpus[key] += int(((node.get("status") or {}).get("allocatable") or {}).get(GPU, 0))
    for (pool, size, spot), count in sorted(all_.items()):
        key = (pool, size, spot)
        yield NodeState(pool, size, spot, count, ready[key], gpus[key])


def _is_ready(node: Item) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _gpus_of(pod: Item) -> int:
    if (pod.get("status") or {}).get("phase") not in ("Pending", "Running") or not pod["spec"].get("nodeName"):
        return 0
    containers = pod["spec"].get("containers") or []
    return sum(int(((one.get("resources") or {}).get("limits") or {}).get(GPU, 0)) for one in containers)


def _certificate(item: Item, now: datetime) -> CertificateState:
    status = item.get("status") or {}
    ends = status.get("notAfter")
    failing = next(
        (
            condition.get("message") or condition.get("reason", "")
            for condition in status.get("conditions") or []
            if condition["type"] == "Ready" and condition["status"] != "True"
        ),
        "" if status.get("conditions") else "not issued yet",
    )
    left = (datetime.fromisoformat(ends) - now).days if ends else None
    return CertificateState(item["metadata"]["namespace"], item["metadata"]["name"], left, failing)


def _backups(jobs: Iterable[Item], now: datetime) -> Iterator[Backup]:
    for job in jobs:
        meta = job["metadata"]
        yield Backup(
            str((meta.get("labels") or {}).get(BACKUP_LABEL, "")), _minutes(meta["creationTimestamp"], now) // 60
        )


def _minutes(moment: str | None, now: datetime) -> int:
    return max(0, int((now - datetime.fromisoformat(moment)).total_seconds() // 60)) if moment else 0
