"""kubectl on a cluster whose workloads stop and start at once, and hold on to nothing."""

import json
from typing import Any

from scripts.cluster.kubectl import Kubectl, KubectlError


class StillCluster(Kubectl):
    """Remembers how many pods each workload has."""

    replicas: dict[str, int]
    annotations: dict[str, dict[str, str]]

    def __init__(self) -> None:
        super().__init__("drill")
        self.__dict__.update(replicas={}, annotations={})

    def run(self, *arguments: str, timeout_s: float = 0, given: str | None = None) -> str:  # noqa: ARG002
        """Change the number of pods; everything that is waited for is there."""
        if arguments[0] == "patch":
            change = json.loads(arguments[arguments.index("-p") + 1])
            kept = self.annotations.setdefault(arguments[1], {}) | change["metadata"]["annotations"]
            self.annotations[arguments[1]] = {key: value for key, value in kept.items() if value is not None}
            self.replicas[arguments[1]] = change.get("spec", {}).get("replicas", self.replicas.get(arguments[1], 1))
        elif arguments[0] not in ("wait", "rollout"):
            raise KubectlError(f"a drill's cluster cannot {arguments[0]}")
        return ""

    def json(self, *arguments: str) -> dict[str, Any]:
        """Return a workload."""
        name = "/".join(arguments[1:3])
        spec = {"replicas": self.replicas.get(name, 1), "selector": {"matchLabels": {"app": "store"}}}
        return {"metadata": {"annotations": self.annotations.get(name, {})}, "spec": spec}

    def items(self, *_arguments: str) -> list[dict[str, Any]]:
        """Return no objects."""
        return []
