"""Pods that have a node and do not run: images, migrations, memory, crashes, evictions."""

from collections import Counter
from collections.abc import Iterator

from scripts.cluster.kubectl import Kubectl

from .problem import Finding, Problem, Repair
from .snapshot import Object, Snapshot, name_of, running_pods, short, values_of, waits_for_a_node

MIGRATION_MINUTES = 30
LOOP_EVICTIONS = 3
"""Evicted pods of one owner from which on it is a loop."""
RESTARTS = 3

PULL = Problem(
    id="image-pull-refused",
    title="An image cannot be pulled: the registry refuses",
    symptoms=("ErrImagePull", "ImagePullBackOff", "401 Unauthorized", "403 Forbidden", "failed to authorize"),
    why="The nodes' identity may not pull from the registry, or the registry's firewall does not let them in.",
    fix="`llmctl deploy {ENV} registry aks` restores the role AcrPull and the private endpoint; then delete the pod.",
    repairs=True,
)
NO_IMAGE = Problem(
    id="image-missing",
    title="An image cannot be pulled: it is not in the registry",
    symptoms=("ErrImagePull", "ImagePullBackOff", "manifest unknown", "not found", "InvalidImageName"),
    why="The tag or digest was never pushed, or was pruned.",
    fix="`llmctl images ensure {ENV}` brings what the environment names; then `llmctl deploy {ENV} platform`.",
    repairs=True,
)
MIGRATION = Problem(
    id="migration-stuck",
    title="A migration does not end",
    symptoms=("Init:0/1", "waiting for lock", "Migration checksum mismatch", "migrate"),
    why="Another pod holds its lock, or the database does not answer, or a migration failed before.",
    fix="Read what it waits for: `kubectl logs {pod} -n {namespace} --all-containers`. For Opik:"
    " `llmctl opik health {ENV}`, then `llmctl opik repair {ENV}`; for the chat:"
    " `llmctl webui logs --part migrate {ENV}`.",
)
EVICTIONS = Problem(
    id="eviction-loop",
    title="Pods are evicted again and again",
    symptoms=("Evicted", "The node was low on resource", "ephemeral-storage", "DiskPressure", "MemoryPressure"),
    why="They use more of a node's memory or disk than they ask for.",
    fix="Ask for what they use, or give the node's pool a larger OS disk or size; the evicted pods can be deleted.",
    repairs=True,
)
MEMORY = Problem(
    id="out-of-memory",
    title="A container is killed for its memory",
    symptoms=("OOMKilled", "exit code 137", "CUDA out of memory"),
    why="It used more than its limit.",
    fix="Raise its memory in the environment file or the chart's values in `helm/`; for an engine, a smaller"
    " `context_tokens`.",
)
CRASH = Problem(
    id="crash-loop",
    title="A container ends right after its start",
    symptoms=("CrashLoopBackOff", "Back-off restarting failed container"),
    why="Its own log says why; the one before the last restart has the reason.",
    fix="`kubectl logs {pod} -n {namespace} --all-containers --previous`, or `llmctl logs COMPONENT {ENV} --previous`.",
)
CONNECTIONS = Problem(
    id="database-connections",
    title="The database has no connection left",
    symptoms=("remaining connection slots are reserved", "too many clients already", "53300"),
    why="All pools together may open more connections than the server's size allows, or something leaks them.",
    fix="Lower `chat.database_pool_size` and `gateway.database_pool_size`, or take a larger `database.sku`;"
    " `llmctl webui restart {ENV}` lets go of those that are open.",
)

_PULLS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_REFUSED = ("401", "403", "unauthorized", "forbidden", "authorize", "denied")


def find(seen: Snapshot) -> Iterator[Finding]:
    """Return what is wrong with pods that have a node."""
    yield from _evicted(seen)
    for pod in running_pods(seen):
        if not waits_for_a_node(pod):
            yield from _containers(seen, pod)


def _containers(seen: Snapshot, pod: Object) -> Iterator[Finding]:
    status = pod["status"]
    for one in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (one.get("state") or {}).get("waiting") or {}
        last = (one.get("lastState") or {}).get("terminated") or {}
        reason = waiting.get("reason", "")
        if reason in _PULLS:
            yield _pull(seen, pod, waiting)
        elif last.get("reason") == "OOMKilled" and one.get("restartCount", 0) >= RESTARTS:
            detail = f"{one['name']} was killed {one['restartCount']} times"
            yield Finding(problem=MEMORY, where=name_of(pod), detail=detail, values=values_of(pod))
        elif reason == "CrashLoopBackOff":
            said = short(last.get("message") or waiting.get("message") or last.get("reason") or reason)
            problem = CONNECTIONS if any(word in said for word in CONNECTIONS.symptoms) else CRASH
            yield Finding(problem=problem, where=name_of(pod), detail=f"{one['name']}: {said}", values=values_of(pod))
    for one in status.get("initContainerStatuses") or []:
        running = (one.get("state") or {}).get("running") or {}
        minutes = seen.minutes_since(running.get("startedAt"))
        if "migrat" in one["name"] and not one.get("ready") and minutes > MIGRATION_MINUTES:
            yield Finding(
                problem=MIGRATION,
                where=name_of(pod),
                detail=f"{one['name']} runs for {minutes:.0f} minutes",
                values=values_of(pod),
            )


def _pull(seen: Snapshot, pod: Object, waiting: Object) -> Finding:
    event = next((e for e in seen.events_of(pod, "Failed") if "pull" in str(e.get("message")).lower()), None)
    said = str((event or {}).get("message") or waiting.get("message") or waiting["reason"])
    refused = any(word in said.lower() for word in _REFUSED)
    return Finding(
        problem=PULL if refused else NO_IMAGE,
        where=name_of(pod),
        detail=short(said),
        values=values_of(pod),
        repair=_delete(pod),
        deed=f"delete the pod {name_of(pod)}, so that its image is pulled again at once",
    )


def _evicted(seen: Snapshot) -> Iterator[Finding]:
    owners: Counter[tuple[str, str]] = Counter()
    pods: dict[tuple[str, str], list[Object]] = {}
    for pod in seen.of("pods"):
        if (pod.get("status") or {}).get("reason") == "Evicted":
            owner = next(iter(pod["metadata"].get("ownerReferences") or []), {"name": pod["metadata"]["name"]})
            key = (pod["metadata"]["namespace"], owner["name"])
            owners[key] += 1
            pods.setdefault(key, []).append(pod)
    for key, count in owners.items():
        if count >= LOOP_EVICTIONS:
            said = short(pods[key][-1]["status"].get("message", ""))
            yield Finding(
                problem=EVICTIONS,
                where="/".join(key),
                detail=f"{count} pods: {said}",
                repair=_delete(*pods[key]),
                deed=f"delete the {count} evicted pods of {'/'.join(key)}; what runs stays",
            )


def _delete(*pods: Object) -> Repair:
    def delete(kubectl: Kubectl) -> str:
        for pod in pods:
            meta = pod["metadata"]
            kubectl.run("delete", "pod", meta["name"], "-n", meta["namespace"], "--ignore-not-found", "--wait=false")
        return f"{len(pods)} {'pod' if len(pods) == 1 else 'pods'} deleted"

    return delete
