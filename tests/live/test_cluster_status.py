"""`llmctl status` on the real Kubernetes API: pods that run, one that no node takes, and five hundred of them."""

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.cluster.overview import CUSTOM_KINDS, KINDS, overview, read
from scripts.lab.kube.api import Object
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running

pytestmark = pytest.mark.cluster

NAMESPACE = "seen"
PODS = 500
PATIENCE_S = 120
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
    alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for name, replicas, spec in (
        ("many", PODS, POD),
        ("nowhere", 1, {**POD, "nodeSelector": {"no-such": "node"}}),
    ):
        alive.api.create(_deployment(name, replicas, spec))


def _deployment(name: str, replicas: int, spec: Object) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def test_what_the_api_lists_is_read_whole(kubectl: Kubectl) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        seen = read(kubectl.items(KINDS, "--all-namespaces"), [], datetime.now(UTC))
        mine = {one.name: one for one in seen.workloads if one.namespace == NAMESPACE}
        waiting = {pod.why for pod in seen.waiting if pod.name.startswith("nowhere")}
        if any("didn't match" in why for why in waiting) and mine["many"].wanted == PODS:
            break
        assert time.monotonic() < end, (mine, waiting)
    assert mine["nowhere"].ready == 0
    assert seen.nodes


def test_a_cluster_without_the_custom_kinds_is_shown_without_them(kubectl: Kubectl) -> None:
    with pytest.raises(KubectlError, match="certificates"):
        kubectl.items(CUSTOM_KINDS, "--all-namespaces")
    assert overview(kubectl, datetime.now(UTC)).certificates == ()
