"""What the pods of rendered objects ask for, as the scheduler adds it up."""

from collections.abc import Iterator
from typing import Any

from stacks.settings.estimates.capacity import Request

_UNITS = {"Ki": 2**-20, "Mi": 2**-10, "Gi": 1.0}


def asked(objects: list[dict[str, Any]]) -> Request:
    """Return processor and memory of everything that runs on the workload pool for good: no jobs, no GPU nodes."""
    least = {
        item["spec"]["scaleTargetRef"]["name"]: item["spec"]["minReplicas"]
        for item in objects
        if item["kind"] == "HorizontalPodAutoscaler"
    }
    cpu = memory = 0.0
    for name, pods, spec in _workloads(objects):
        each = [
            max(sum(_each(spec["containers"], kind)) + sum(_each(_sidecars(spec), kind)), *_each(_first(spec), kind), 0)
            for kind in ("cpu", "memory")
        ]
        count = least.get(name, pods)
        cpu, memory = cpu + count * each[0], memory + count * each[1]
    return Request(cpu, memory)


def _workloads(objects: list[dict[str, Any]]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for item in objects:
        name, spec = item["metadata"]["name"], item.get("spec") or {}
        if item["kind"] in {"Deployment", "StatefulSet"}:
            yield name, spec.get("replicas", 1), spec["template"]["spec"]
        elif item["kind"] in {"Prometheus", "Alertmanager"}:
            yield name, spec["replicas"], {"containers": [spec]}
        elif item["kind"] == "ClickHouseInstallation":
            for template in spec["templates"]["podTemplates"]:
                yield name, 1, template["spec"]


def _sidecars(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]


def _first(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in spec.get("initContainers") or () if each.get("restartPolicy") != "Always"]


def _each(containers: list[dict[str, Any]], kind: str) -> list[float]:
    return [_number(str((each.get("resources") or {}).get("requests", {}).get(kind, "0"))) for each in containers]


def _number(quantity: str) -> float:
    """Return cores, or GiB where the quantity has a unit of memory."""
    unit = quantity[-2:]
    if unit in _UNITS:
        return float(quantity[:-2]) * _UNITS[unit]
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
