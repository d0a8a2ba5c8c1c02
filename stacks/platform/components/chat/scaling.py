"""How many pods the chat has: an autoscaler, and how many may be missing. The chart has neither."""

import math
from typing import Any

from stacks.settings.chat import ChatSettings

from .names import PODS, RELEASE

BUSY_CPU_PERCENT = 70
BUSY_CORES = 0.7
"""A pod is one process with one event loop, which cannot use more than a core, however many it asks for. A message
costs about 0.11 s and 0.9 ms for each streamed token."""
BUSY_MEMORY_PERCENT = 80
IDLE_MEMORY_GIB = 1.3
"""What a pod with the embedding model in memory takes when nobody uses it: 1.2 measured, and some room."""


def resources(chat: ChatSettings) -> list[dict[str, Any]]:
    """Objects that the release brings besides the chart's own."""
    return [_autoscaler(chat), _disruption_budget()]


def busy_cpu_percent(chat: ChatSettings) -> int:
    """Share of the processor asked for above which there have to be more pods."""
    return min(BUSY_CPU_PERCENT, math.floor(100 * BUSY_CORES / chat.cpu))


def busy_memory_percent(chat: ChatSettings) -> int:
    """The same of memory; above 100 where a pod asks for little.

    The autoscaler goes back from n + 1 pods to n only when n + 1 idle ones fit into n at this share: less would keep
    every pod that was once started.
    """
    idle_percent = 100 * IDLE_MEMORY_GIB / chat.memory_gib
    return max(BUSY_MEMORY_PERCENT, math.ceil(idle_percent * (chat.replicas + 1) / chat.replicas))


def _autoscaler(chat: ChatSettings) -> dict[str, Any]:
    usage = {"cpu": busy_cpu_percent(chat), "memory": busy_memory_percent(chat)}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": RELEASE, "labels": PODS},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": RELEASE},
            "minReplicas": chat.replicas,
            "maxReplicas": chat.max_replicas,
            "metrics": [
                {
                    "type": "ContainerResource",
                    "containerResource": {
                        "name": name,
                        # Not of the whole pod, whose sidecar is idle.
                        "container": RELEASE,
                        "target": {"type": "Utilization", "averageUtilization": percent},
                    },
                }
                for name, percent in usage.items()
            ],
            "behavior": {
                # Every pod that goes cuts its users' web sockets.
                "scaleDown": {
                    "stabilizationWindowSeconds": 900,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}],
                }
            },
        },
    }


def _disruption_budget() -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": RELEASE, "labels": PODS},
        # A share of the pods would block the update of nodes where there is one pod.
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": PODS}},
    }
