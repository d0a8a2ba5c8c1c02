"""Nodes that are gone, GPUs that no node offers, and clocks that differ."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from scripts.cluster.dead_node import take_out_of_service
from scripts.cluster.kubectl import Kubectl

from .problem import Finding, Problem
from .snapshot import Object, Snapshot, condition, ready

GPU = "nvidia.com/gpu"
POOL = "kubernetes.azure.com/agentpool"
GPU_NODE = "kubernetes.azure.com/accelerator"
"""Label that AKS gives to nodes with a GPU: https://learn.microsoft.com/azure/aks/use-labels"""
PLUGIN = "nvidia-device-plugin"
DRIVER_MINUTES = 15
"""How long a new node may take for driver and plugin."""
GONE_MINUTES = 10
SKEW_SECONDS = 120
"""Tokens of Entra and certificates are refused from about five minutes on."""

NO_PLUGIN = Problem(
    id="device-plugin-missing",
    title="The NVIDIA device plugin does not run",
    symptoms=("Insufficient nvidia.com/gpu", "0/1 nodes are available", "nvidia-device-plugin"),
    why="Without it no node offers its GPU, and no engine starts.",
    fix="`llmctl deploy {ENV} platform`",
)
NO_GPU = Problem(
    id="gpu-not-offered",
    title="A GPU node offers no GPU",
    symptoms=("Insufficient nvidia.com/gpu", "Failed to initialize NVML", "could not load NVML library", "Xid"),
    why="The driver is not installed, or the card has failed; the node costs as much as before.",
    fix="Let another node take its place: `kubectl cordon {node}`, then `kubectl drain {node} --ignore-daemonsets"
    " --delete-emptydir-data`; the autoscaler removes it and makes a new one.",
    repairs=True,
)
GONE = Problem(
    id="node-gone",
    title="A node is gone, and pods on it stay Terminating",
    symptoms=("NodeNotReady", "NodeStatusUnknown", "Terminating", "Multi-Attach error", "Kubelet stopped posting"),
    why="Kubernetes keeps the pods of a StatefulSet on a node that does not answer, and so their disks.",
    fix="`llmctl disks free-node {node} {ENV}`, once it is certain that the machine is off.",
    repairs=True,
)
CLOCK = Problem(
    id="clock",
    title="Clocks differ",
    symptoms=("token used before issued", "x509: certificate has expired or is not yet valid", "AADSTS700024", "nbf"),
    why="Tokens and certificates are refused when this machine or a node is some minutes off.",
    fix="Set this machine's clock by NTP (`timedatectl set-ntp true`); a node gets its time from its host: drain and"
    " replace it.",
)


def find(seen: Snapshot) -> Iterator[Finding]:
    """Return what is wrong with nodes."""
    yield from _gpus(seen)
    yield from _gone(seen)
    yield from _clock(seen)


def _gpus(seen: Snapshot) -> Iterator[Finding]:
    nodes = [node for node in seen.of("nodes") if (node["metadata"].get("labels") or {}).get(GPU_NODE) == "nvidia"]
    if not nodes:
        return
    plugins = [one for one in seen.of("daemonsets") if PLUGIN in one["metadata"]["name"]]
    if not plugins and "daemonsets" not in seen.unread:
        yield Finding(problem=NO_PLUGIN, where="gpu", detail="there is no DaemonSet of it")
        return
    for node in nodes:
        name = node["metadata"]["name"]
        offered = int((node["status"].get("allocatable") or {}).get(GPU, 0))
        minutes = seen.minutes_since(node["metadata"].get("creationTimestamp"))
        if not offered and ready(node) and minutes > DRIVER_MINUTES:
            yield Finding(
                problem=NO_GPU,
                where=name,
                detail=f"ready for {minutes:.0f} minutes, and allocatable has no {GPU}",
                values={"node": name},
                repair=partial(_cordon, node=name),
                deed=f"cordon {name}, so that nothing new starts on it and the autoscaler may remove it",
            )


def _cordon(kubectl: Kubectl, node: str) -> str:
    kubectl.run("cordon", node)
    return f"{node} takes no more pods"


def _gone(seen: Snapshot) -> Iterator[Finding]:
    away = {
        node["metadata"]["name"]: minutes
        for node in seen.of("nodes")
        if not ready(node) and (minutes := seen.minutes_since(_since(node))) > GONE_MINUTES
    }
    for node, minutes in away.items():
        stuck = [
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            for pod in seen.of("pods")
            if pod["spec"].get("nodeName") == node and pod["metadata"].get("deletionTimestamp")
        ]
        if stuck:
            yield Finding(
                problem=GONE,
                where=node,
                detail=f"silent for {minutes:.0f} minutes; Terminating: {', '.join(sorted(stuck))}",
                values={"node": node},
                repair=partial(_free, node=node),
                deed=f"let go of everything on {node}; only if its machine is off, since two writers ruin a disk",
            )


def _free(kubectl: Kubectl, node: str) -> str:
    take_out_of_service(kubectl, node)
    return f"{node} is out of service; its pods start elsewhere"


def _clock(seen: Snapshot) -> Iterator[Finding]:
    """Compare this clock with the newest heartbeat of each node, which is younger than ten seconds."""
    there = {node["metadata"]["name"] for node in seen.of("nodes") if ready(node)}
    ahead = {}
    for lease in seen.of("leases"):
        name, renewed = lease["metadata"]["name"], (lease.get("spec") or {}).get("renewTime")
        if lease["metadata"].get("namespace") == "kube-node-lease" and name in there and renewed:
            ahead[name] = (datetime.fromisoformat(renewed) - seen.now).total_seconds()
    if not ahead:
        return
    if all(abs(seconds) > SKEW_SECONDS for seconds in ahead.values()) and len(ahead) > 1:
        middle = sorted(ahead.values())[len(ahead) // 2]
        way = "behind" if middle > 0 else "ahead of"
        yield Finding(problem=CLOCK, where="this machine", detail=f"{abs(middle):.0f} s {way} the nodes")
        return
    for name, seconds in ahead.items():
        if seconds > SKEW_SECONDS:
            yield Finding(problem=CLOCK, where=name, detail=f"{seconds:.0f} s ahead of this machine")


def _since(node: Object) -> str | None:
    found = condition(node).get("lastTransitionTime")
    return str(found) if found else None
