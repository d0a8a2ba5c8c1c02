"""Pods of third-party charts as they are written down, for machines that do not have the charts."""

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .charts import from_chart, third_party
from .objects import Object, Stack
from .workloads import pod

FACTS = Path(__file__).with_name("third_party_pods.yaml")
PRIVATE_FACTS = FACTS.with_name("private_third_party_pods.yaml")
"""What neither dev nor prod has."""
RELEASE = "<release>"
"""Stands for the release's name where several releases of one chart bear other names than it."""


def facts(stacks: Iterable[Stack], folder: Path) -> dict[str, Any]:
    """Return what is to be written down of third-party charts: what any of the stacks' releases of them brings."""
    found: dict[str, dict[str, Any]] = {}
    for stack in stacks:
        for release, place in stack.releases():
            chart = third_party(release)
            if chart is None:
                continue
            brought = from_chart(stack, release, place, folder)
            known = found.setdefault(chart, {"pods": [], "policies": [], "webhooks": []})
            for kind in known:
                for item in getattr(brought, kind):
                    # Several releases of one chart bear other names than it.
                    fact = replaced(_fact(item) if kind == "pods" else item, release["name"], _general(chart, release))
                    if fact not in known[kind]:
                        known[kind].append(fact)
    return {chart: {kind: items for kind, items in known.items() if items} for chart, known in sorted(found.items())}


def write_facts(found: Mapping[str, Any], path: Path = FACTS) -> None:
    """Write the facts down."""
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 1000
    with path.open("w", encoding="utf-8") as file:
        file.write("# What network policies see of the pods of third-party charts, as dev and prod render them.\n")
        file.write(
            "# Written by `llmctl policy network --write` with CHARTS_DIR; read where the charts are not there.\n"
        )
        yaml.dump(json.loads(json.dumps(found)), file)


def read_facts(path: Path = FACTS) -> dict[str, Any]:
    """Return what is written down."""
    known: dict[str, Any] = YAML(typ="safe").load(path)
    return known


def _general(chart: str, release: Object) -> str:
    return str(release["name"]) if release["name"] == chart else RELEASE


def _fact(pod: Object) -> Object:
    """Return a pod as it is written down."""
    fact = {key: pod["metadata"][key] for key in ("name", "namespace", "labels")}
    if ports := pod["spec"]["containers"][0]["ports"]:
        fact["ports"] = ports
    return fact | ({"hostNetwork": True} if pod["spec"].get("hostNetwork") else {})


def of_fact(fact: Object) -> Object:
    """Return the pod that was written down."""
    spec = {"containers": [{"ports": fact.get("ports", [])}], "hostNetwork": fact.get("hostNetwork", False)}
    return pod(fact["name"], fact["namespace"], fact.get("labels"), spec)


def replaced(value: Any, old: str, new: str) -> Any:
    """Return `value` with `new` for `old` in every text of it."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list | tuple):
        return [replaced(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: replaced(item, old, new) for key, item in copy.copy(value).items()}
    return value
