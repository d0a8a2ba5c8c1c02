"""Who decides how many pods a workload has: KEDA, a HorizontalPodAutoscaler, or nobody but its own number."""

from dataclasses import dataclass

from .api import ClusterApi, Object

PAUSED = "autoscaling.keda.sh/paused-replicas"
"""Annotation by which KEDA holds a workload at a number of replicas (https://keda.sh/docs/concepts/scaling-deployments)."""
_PLURALS = ("scaledobjects", "horizontalpodautoscalers")


@dataclass(frozen=True)
class Autoscaler:
    """One of either kind."""

    plural: str
    object: Object

    @property
    def name(self) -> str:
        """As kubectl names it."""
        return f"{self.plural[:-1]}/{self.object['metadata']['name']}"

    @property
    def keda(self) -> bool:
        """Whether it is KEDA's."""
        return self.plural == "scaledobjects"

    @property
    def annotations(self) -> dict[str, str]:
        """What is noted on it."""
        return dict(self.object["metadata"].get("annotations") or {})

    def range(self) -> str:
        """Return `MIN to MAX`."""
        spec = self.object["spec"]
        least, most = ("minReplicaCount", "maxReplicaCount") if self.keda else ("minReplicas", "maxReplicas")
        return f"{spec.get(least, 0 if self.keda else 1)} to {spec.get(most, '?')}"


def autoscaler_of(api: ClusterApi, namespace: str, deployment: str) -> Autoscaler | None:
    """Return what scales a Deployment; KEDA's where it has made an autoscaler of its own. Raises ClusterError."""
    for plural in _PLURALS:
        for item in api.known_items(plural, namespace):
            if item["spec"]["scaleTargetRef"]["name"] == deployment:
                return Autoscaler(plural, item)
    return None
