"""Helm's records of releases move between Secrets and ConfigMaps: copied, compared, then deleted."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from scripts.core.errors import OperatorError
from scripts.pipeline.records import move, to_move
from stacks.settings.cluster import ReleaseRecords

SECRETS, CONFIG_MAPS = ReleaseRecords.SECRETS, ReleaseRecords.CONFIG_MAPS
NAME = "sh.helm.release.v1.opik.v3"


class FakeKubectl:
    """A cluster's Secrets and ConfigMaps."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.broken = False

    def add(self, kind: str, name: str, text: str, labels: dict[str, str]) -> None:
        data = base64.b64encode(text.encode()).decode() if kind == "secrets" else text
        metadata = {"name": name, "namespace": "opik", "labels": labels}
        self.objects[kind, "opik", name] = {"metadata": metadata, "data": {"release": data}}

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        assert arguments == ("--all-namespaces", "-l", "owner=helm")
        return [
            item
            for (of, _, _), item in self.objects.items()
            if of == kind and item["metadata"]["labels"].get("owner") == "helm"
        ]

    def run(self, action: str, *arguments: str) -> str:
        if action == "create":
            made = json.loads(Path(arguments[1]).read_text())
            kind = {"Secret": "secrets", "ConfigMap": "configmaps"}[made["kind"]]
            if self.broken:
                made["data"]["release"] = base64.b64encode(b"cut").decode()
            self.objects[kind, made["metadata"]["namespace"], made["metadata"]["name"]] = made
        else:
            assert action == "delete"
            kind, name, _, namespace, *_ = arguments
            del self.objects[kind, namespace, name]
        return ""


@pytest.fixture
def cluster() -> FakeKubectl:
    found = FakeKubectl()
    found.add("secrets", NAME, "H4sIAAAA", {"owner": "helm", "name": "opik", "version": "3"})
    found.add("secrets", "opik-mysql", "a password", {"app": "opik"})
    return found


def test_records_move_and_nothing_else_does(cluster: FakeKubectl) -> None:
    (record,) = to_move(cluster, CONFIG_MAPS)  # type: ignore[arg-type]
    move(cluster, [record], CONFIG_MAPS)  # type: ignore[arg-type]
    assert set(cluster.objects) == {("configmaps", "opik", NAME), ("secrets", "opik", "opik-mysql")}
    moved = cluster.objects["configmaps", "opik", NAME]
    assert moved["data"] == {"release": "H4sIAAAA"}
    assert moved["metadata"]["labels"] == {"owner": "helm", "name": "opik", "version": "3"}
    assert to_move(cluster, CONFIG_MAPS) == []  # type: ignore[arg-type]


def test_they_move_back_as_they_were(cluster: FakeKubectl) -> None:
    before = cluster.objects["secrets", "opik", NAME]["data"]
    for target in (CONFIG_MAPS, SECRETS):
        move(cluster, to_move(cluster, target), target)  # type: ignore[arg-type]
    back = cluster.objects["secrets", "opik", NAME]
    assert (back["data"], back["type"]) == (before, "helm.sh/release.v1")


def test_after_an_interruption_the_copies_are_taken_as_they_are(cluster: FakeKubectl) -> None:
    cluster.add("configmaps", NAME, "H4sIAAAA", {"owner": "helm"})
    move(cluster, to_move(cluster, CONFIG_MAPS), CONFIG_MAPS)  # type: ignore[arg-type]
    assert ("secrets", "opik", NAME) not in cluster.objects


def test_a_copy_that_differs_keeps_the_record(cluster: FakeKubectl) -> None:
    cluster.broken = True
    with pytest.raises(OperatorError, match=f"the copies of {NAME} differ from the records, so nothing was deleted"):
        move(cluster, to_move(cluster, CONFIG_MAPS), CONFIG_MAPS)  # type: ignore[arg-type]
    assert ("secrets", "opik", NAME) in cluster.objects
