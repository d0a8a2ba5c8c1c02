"""How many pods the chat has: an autoscaler, and how many may be missing. The chart has neither."""

from typing import Any

from stacks.settings import Settings

from .names import PODS, RELEASE

BUSY_CPU_PERCENT = 70
BUSY_MEMORY_PERCENT = 80


def resources(settings: Settings) -> list[dict[str, Any]]:
    """Objects that the release brings besides the chart's own."""
    return [_autoscaler(settings), _disruption_budget()]


def _autoscaler(settings: Settings) -> dict[str, Any]:
    usage = {"cpu": BUSY_CPU_PERCENT, "memory": BUSY_MEMORY_PERCENT}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": RELEASE, "labels": PODS},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": RELEASE},
            "minReplicas": settings.chat.replicas,
            "maxReplicas": settings.chat.max_replicas,
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
