"""Claims without a disk, and disks that fill up."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scripts.cluster.kubectl import Kubectl, KubectlError

from .problem import Finding, Problem
from .snapshot import Snapshot, short

PATIENCE_MINUTES = 5
NEARLY_FULL = 0.85
GROWS = "opik-"
"""How claims of data disks begin, which `llmctl disks grow` knows."""

UNBOUND = Problem(
    id="claim-unbound",
    title="A claim gets no volume",
    symptoms=("pod has unbound immediate PersistentVolumeClaims", "ProvisioningFailed", "FailedBinding"),
    why="No volume fits it, or Azure refuses to make one; a data disk's volume is bound to its claim by name.",
    fix="For a data disk: `llmctl disks rebind {ENV}`. Else read why: `kubectl describe pvc {claim} -n {namespace}`.",
)
ATTACH = Problem(
    id="disk-not-attached",
    title="A disk cannot be attached or mounted",
    symptoms=("FailedAttachVolume", "FailedMount", "Multi-Attach error", "AttachVolume.Attach failed", "mount failed"),
    why="Another node still holds it, its zone is another one, or the share or its key is not reachable.",
    fix="Is the other node gone: `llmctl disks free-node NODE {ENV}`. Else read why:"
    " `kubectl describe pod {pod} -n {namespace}`.",
)
FULL = Problem(
    id="disk-nearly-full",
    title="A disk is nearly full",
    symptoms=("No space left on device", "ENOSPC", "DISK_SPACE", "disk is full", "could not extend file"),
    why="What writes there stops when it is full, and a database may not start again.",
    fix="`llmctl disks grow DISK SIZE {ENV}` grows a data disk; for others raise their size in the environment file and"
    " deploy. `opik.retention_days` deletes old traces.",
)


def find(seen: Snapshot, usage: Iterable[Mapping[str, Any]] = ()) -> Iterator[Finding]:
    """Return what is wrong with volumes; `usage` is what `volume_usage` gives."""
    for claim in seen.of("persistentvolumeclaims"):
        meta = claim["metadata"]
        if (claim.get("status") or {}).get("phase") != "Pending":
            continue
        event = next(seen.events_of(claim), {})
        waits = event.get("reason") == "WaitForFirstConsumer"
        if not waits and seen.minutes_since(meta.get("creationTimestamp")) >= PATIENCE_MINUTES:
            yield Finding(
                problem=UNBOUND,
                where=f"{meta['namespace']}/{meta['name']}",
                detail=short(event.get("message") or "no event says why"),
                values={"claim": meta["name"], "namespace": meta["namespace"]},
            )
    for pod in seen.of("pods"):
        meta, status = pod["metadata"], pod.get("status") or {}
        if status.get("phase") != "Pending" or not pod["spec"].get("nodeName"):
            continue
        event = next(seen.events_of(pod, "FailedAttachVolume", "FailedMount"), {})
        if event and seen.minutes_since(meta.get("creationTimestamp")) >= PATIENCE_MINUTES:
            yield Finding(
                problem=ATTACH,
                where=f"{meta['namespace']}/{meta['name']}",
                detail=short(event.get("message")),
                values={"pod": meta["name"], "namespace": meta["namespace"]},
            )
    for one in usage:
        share = one["usedBytes"] / one["capacityBytes"] if one.get("capacityBytes") else 0
        inodes = one["inodesUsed"] / one["inodes"] if one.get("inodes") else 0
        if max(share, inodes) >= NEARLY_FULL:
            what = "full" if share >= inodes else "out of inodes"
            size = f", {one['capacityBytes'] / 2**30:.0f} GiB" if share >= inodes else ""
            yield Finding(problem=FULL, where=one["claim"], detail=f"{max(share, inodes):.0%} {what}{size}")


def volume_usage(kubectl: Kubectl, nodes: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return usage of every claimed volume, once each, as the kubelets count it; nodes that do not answer are left out.

    Interface: https://kubernetes.io/docs/reference/instrumentation/node-metrics (Summary API).
    """
    seen = set()
    for node in nodes:
        try:
            found = json.loads(kubectl.run("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary", timeout_s=15))
        except (KubectlError, ValueError):
            continue
        for pod in found.get("pods", []):
            for volume in pod.get("volume", []):
                if reference := volume.get("pvcRef"):
                    claim = f"{reference['namespace']}/{reference['name']}"
                    if claim not in seen and "usedBytes" in volume:
                        seen.add(claim)
                        yield {**volume, "claim": claim}
