"""`llmctl status` on the real Kubernetes API: pods that run, one that no node takes, and five hundred of them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scripts.backup.mark import job
from scripts.cluster.api import ClusterApi
from scripts.cluster.client import connect
from scripts.cluster.overview import overview
from scripts.lab.kube.api import Object
from scripts.lab.kube.cluster import CONTEXT
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

NAMESPACE = "seen"
PODS = 500
POD = {"containers": [{"name": "c", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}]}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterApi]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as alive:
        _fill(alive)
        yield connect(CONTEXT, configuration=str(alive.kubeconfig))


def _fill(alive: Running) -> None:
    for name in (NAMESPACE, "opik"):
        alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for name, replicas, spec in (
        ("many", PODS, POD),
        ("nowhere", 1, {**POD, "nodeSelector": {"no-such": "node"}}),
    ):
        alive.api.create(_deployment(name, replicas, spec))
    alive.api.create(dict(job("20261129T020000Z")))


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


def test_what_the_api_lists_is_read_whole(api: ClusterApi) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        seen = overview(api, datetime.now(UTC))
        mine = {one.name: one for one in seen.workloads if one.namespace == NAMESPACE}
        waiting = {pod.why for pod in seen.waiting if pod.name.startswith("nowhere")}
        if any("didn't match" in why for why in waiting) and mine["many"].wanted == PODS:
            break
        assert time.monotonic() < end, (mine, waiting)
    assert mine["nowhere"].ready == 0
    assert seen.nodes
    assert seen.backup is not None
    assert (seen.backup.set_id, seen.backup.hours) == ("20261129T020000Z", 0)


def test_a_cluster_without_the_custom_kinds_is_shown_without_them(api: ClusterApi) -> None:
    seen = overview(api, datetime.now(UTC))
    assert (seen.certificates, seen.scalers) == ((), ())
