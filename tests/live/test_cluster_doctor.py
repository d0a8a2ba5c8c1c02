"""`llmctl doctor` on the real Kubernetes API: what its controllers and scheduler write of a quota, a taint, a claim."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scripts.cluster.kubectl import Kubectl
from scripts.diagnostics import cluster_parts
from scripts.diagnostics.doctor import deliveries, nodes, pods, scheduling, snapshot, storage
from scripts.lab.kube.api import Object
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

NAMESPACE, BOUNDED = "doctored", "doctored-bounds"
POD = {"containers": [{"name": "c", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}]}


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as alive, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(alive.kubeconfig))
        asked = ["kubectl", "config", "current-context"]
        done = subprocess.run(asked, env=os.environ, capture_output=True, text=True, check=True)
        _fill(alive)
        yield Kubectl(done.stdout.strip())


def _fill(alive: Running) -> None:
    for name in (NAMESPACE, BOUNDED):
        alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    bounds = {"name": "bounds", "namespace": BOUNDED}
    alive.api.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": bounds, "spec": {"hard": {"pods": "0"}}})
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "no-such-class",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    meta = {"name": "data", "namespace": NAMESPACE}
    alive.api.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": claim})
    large = {"containers": [{**POD["containers"][0], "resources": {"requests": {"cpu": "9999"}}}]}
    alive.api.create(_deployment("large", NAMESPACE, large))
    alive.api.create(_deployment("refused", BOUNDED, POD))


def _deployment(name: str, namespace: str, spec: Object) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    meta = {"name": name, "namespace": namespace}
    wanted = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": wanted}


def test_problems_are_found_in_the_words_of_the_real_controllers(kubectl: Kubectl) -> None:
    expected = {"pod-quota", "no-room", "claim-unbound"}
    end = time.monotonic() + PATIENCE_S
    while True:
        # As if ten minutes had passed: younger ones may still come right by themselves.
        seen = replace(snapshot.take(kubectl), now=datetime.now(UTC) + timedelta(minutes=10))
        mine = [
            one for one in (*scheduling.find(seen), *pods.find(seen), *storage.find(seen)) if "doctored" in one.where
        ]
        if {one.problem.id for one in mine} >= expected:
            break
        assert time.monotonic() < end, mine
    details = {one.problem.id: one.detail for one in mine}
    assert "exceeded quota: bounds" in details["pod-quota"]
    assert "Insufficient cpu" in details["no-room"]
    assert "no-such-class" in details["claim-unbound"]
    assert seen.unread == {}, "a kind that the cluster does not know is an empty one"


def test_cluster_that_is_well_has_clocks_and_nodes_that_are(kubectl: Kubectl) -> None:
    seen = snapshot.take(kubectl)
    assert seen.of("nodes")
    assert [one for one in nodes.find(seen) if one.problem.id == "clock"] == []
    assert list(deliveries.find(seen)) == []


def test_support_lists_every_kind_that_the_cluster_knows_and_knows_its_secrets(kubectl: Kubectl) -> None:
    kubectl.run("create", "secret", "generic", "planted", "-n", NAMESPACE, "--from-literal=password=planted-Zx9Kq2wLr7")
    assert "planted-Zx9Kq2wLr7" in cluster_parts.secrets_of(kubectl)
    parts = dict(cluster_parts.parts(kubectl))
    texts = {name: parts[f"cluster/{name}.json"]() for name in ("pods", "workloads", "limits", "network-policies")}
    assert "doctored" in texts["pods"]
    assert "managedFields" not in texts["workloads"]
    assert "planted-Zx9Kq2wLr7" not in "".join(texts.values())
    assert "exceeded quota" in parts["cluster/events.txt"]()
