"""Parts are stopped, started, restarted and scaled beside the autoscalers and disruption budgets that own them."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.cluster.api import ClusterApi
from scripts.cluster.operating import Clock, Operating
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.common.parts import Part
from tests.support.cluster.fake_api import FakeCluster, fake_api, scaler, workload

BACKEND = Part(name="backend", namespace="opik", workload="deployment/opik-backend", container="c")
MYSQL = Part(name="mysql", namespace="opik", workload="statefulset/opik-mysql", container="mysql", store=True)
ENGINE = Part(
    name="vllm-a",
    namespace="serving",
    workload="deployment/vllm-a",
    container="vllm",
    replicas_setting="min_replicas, max_replicas of its models",
)
EXPORTER = Part(name="exporter", namespace="gpu", workload="daemonset/dcgm-exporter", container="exporter")
RECREATE = {"strategy": {"type": "Recreate"}}
PAUSED = "autoscaling.keda.sh/paused-replicas"


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster(
        {plural: [] for plural in ("deployments", "statefulsets", "daemonsets", "poddisruptionbudgets")}
    )
    found.add("deployments", workload("Deployment", "opik", "opik-backend", replicas=3))
    found.add("statefulsets", workload("StatefulSet", "opik", "opik-mysql"))
    found.add("deployments", workload("Deployment", "serving", "vllm-a", replicas=2))
    plural, item = scaler("scaledobjects", "serving", "vllm-a", "vllm-a", minReplicaCount=0, maxReplicaCount=4)
    found.add(plural, item)
    return found


@pytest.fixture
def operating(cluster: FakeCluster, tmp_path: Path) -> Iterator[Operating]:
    with fake_api(cluster, tmp_path) as api:
        yield _operating(api)


def _operating(api: ClusterApi) -> Operating:
    moments = iter(range(10_000))
    return Operating(api, Clock(now=lambda: float(next(moments)), sleep=lambda _seconds: None), patience_s=20)


def patches(cluster: FakeCluster) -> list[Any]:
    return [copy.deepcopy(body) for method, _, body in cluster.calls if method == "PATCH"]


def replicas(cluster: FakeCluster, plural: str, space: str, name: str) -> int:
    found = cluster.found(plural, space, name)
    assert found
    return int(found["spec"]["replicas"])


def test_a_stopped_part_starts_with_as_many_pods_as_before(cluster: FakeCluster, operating: Operating) -> None:
    assert operating.stop(BACKEND)
    assert replicas(cluster, "deployments", "opik", "opik-backend") == 0
    assert operating.stop(BACKEND), "stopping twice changes nothing"
    assert operating.start(BACKEND)
    assert replicas(cluster, "deployments", "opik", "opik-backend") == 3
    assert not operating.start(BACKEND), "what was not stopped is left alone"


def test_note_and_number_are_one_write(cluster: FakeCluster, operating: Operating) -> None:
    operating.stop(BACKEND)
    note = {"annotations": {"platform/replicas-before": "3"}}
    assert patches(cluster) == [{"metadata": note, "spec": {"replicas": 0}}]


def test_what_keda_scales_is_paused_and_keeps_its_range(cluster: FakeCluster, operating: Operating) -> None:
    before = copy.deepcopy(cluster.objects["scaledobjects"][0]["spec"])
    operating.stop(ENGINE)
    marks = cluster.objects["scaledobjects"][0]["metadata"]["annotations"]
    assert marks == {PAUSED: "0", "platform/paused-replicas-before": ""}
    assert operating.start(ENGINE)
    assert cluster.objects["scaledobjects"][0]["metadata"]["annotations"] == {}
    assert cluster.objects["scaledobjects"][0]["spec"] == before
    assert all("replicas" not in patch.get("spec", {}) for patch in patches(cluster))


def test_an_engine_that_was_suspended_stays_suspended_after_a_start(cluster: FakeCluster, operating: Operating) -> None:
    cluster.objects["scaledobjects"][0]["metadata"]["annotations"] = {PAUSED: "0"}
    operating.stop(ENGINE)
    operating.start(ENGINE)
    assert cluster.objects["scaledobjects"][0]["metadata"]["annotations"] == {PAUSED: "0"}


def test_what_runs_on_every_node_is_not_stopped(cluster: FakeCluster, operating: Operating) -> None:
    assert not operating.stop(EXPORTER)
    assert cluster.calls == []


def test_a_restart_marks_the_template(cluster: FakeCluster, operating: Operating) -> None:
    assert operating.restart(MYSQL)
    (patch,) = patches(cluster)
    assert list(patch["spec"]["template"]["metadata"]["annotations"]) == ["kubectl.kubernetes.io/restartedAt"]


def test_a_part_without_pods_is_not_restarted(cluster: FakeCluster, operating: Operating) -> None:
    operating.stop(BACKEND)
    asked = len(cluster.calls)
    assert not operating.restart(BACKEND)
    assert len(cluster.calls) == asked


def test_pods_that_would_all_end_at_once_are_evicted_one_after_the_other(
    cluster: FakeCluster, operating: Operating
) -> None:
    cluster.objects["deployments"][0]["spec"].update(RECREATE)
    cluster.evictions_refused = 2
    assert operating.restart(BACKEND)
    asked = [path.split("/")[-2] for method, path, _ in cluster.calls if method == "POST"]
    first = "opik-backend-0"
    assert asked == [first, first, first, "opik-backend-1", "opik-backend-2"]
    assert patches(cluster) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_budget_that_lets_no_pod_go_is_respected(force: bool, cluster: FakeCluster, operating: Operating) -> None:
    budget = {
        "metadata": {"namespace": "opik", "name": "mysql"},
        "spec": {"selector": {"matchLabels": {"app": "opik-mysql"}}},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 1, "expectedPods": 2},
    }
    cluster.add("poddisruptionbudgets", budget)
    cluster.listed("statefulsets")
    if force:
        assert operating.restart(MYSQL, force=True)
        return
    with pytest.raises(OperatorError) as refused:
        operating.restart(MYSQL)
    assert refused.value.code == ExitCode.REFUSED
    assert "PodDisruptionBudget mysql: 1 of 2 pods are healthy" in refused.value.message
    assert cluster.calls == []


def test_a_budget_does_not_stop_a_rollout_that_loses_no_pod(cluster: FakeCluster, operating: Operating) -> None:
    cluster.objects["deployments"][0]["spec"]["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    budget = {
        "metadata": {"namespace": "opik", "name": "backend"},
        "spec": {"selector": {"matchLabels": {"app": "opik-backend"}}},
        "status": {"disruptionsAllowed": 0},
    }
    cluster.add("poddisruptionbudgets", budget)
    assert operating.restart(BACKEND)


def test_an_autoscaler_keeps_its_number_and_names_the_setting(cluster: FakeCluster, operating: Operating) -> None:
    with pytest.raises(OperatorError) as refused:
        operating.scale(ENGINE, 2)
    assert "scaledobject/vllm-a decides how many pods vllm-a has (0 to 4)" in refused.value.message
    assert refused.value.fix.startswith("set min_replicas, max_replicas of its models in the environment file")
    plural, item = scaler("horizontalpodautoscalers", "opik", "opik-backend", "opik-backend", minReplicas=1)
    cluster.add(plural, item)
    with pytest.raises(OperatorError, match="horizontalpodautoscaler/opik-backend decides"):
        operating.scale(BACKEND, 2)
    assert cluster.calls == []


@pytest.mark.parametrize(("part", "said"), [(MYSQL, "a disk of one pod"), (EXPORTER, "runs on every node")])
def test_what_cannot_have_two_pods_is_not_scaled(
    part: Part, said: str, cluster: FakeCluster, operating: Operating
) -> None:
    cluster.add("daemonsets", workload("DaemonSet", "gpu", "dcgm-exporter"))
    with pytest.raises(OperatorError, match=said) as refused:
        operating.scale(part, 2)
    assert refused.value.code == ExitCode.REFUSED


def test_a_number_given_by_hand_replaces_the_note_of_a_stop(cluster: FakeCluster, operating: Operating) -> None:
    operating.stop(BACKEND)
    assert operating.scale(BACKEND, 2) == 0
    assert not operating.start(BACKEND)
    assert replicas(cluster, "deployments", "opik", "opik-backend") == 2


def test_pods_that_do_not_become_ready_end_in_one_sentence(cluster: FakeCluster, operating: Operating) -> None:
    stuck = cluster.objects["statefulsets"][0]
    stuck["frozen"] = True
    stuck["status"] = {"observedGeneration": 1, "readyReplicas": 0, "updatedReplicas": 0}
    with pytest.raises(OperatorError, match="waited 20 s in vain until mysql is ready"):
        operating.restart(MYSQL)


def test_a_part_that_the_cluster_lacks_is_told(operating: Operating) -> None:
    gone = Part(name="gone", namespace="opik", workload="deployment/gone", container="c")
    with pytest.raises(OperatorError, match="the cluster has no deployment/gone in opik") as missing:
        operating.stop(gone)
    assert missing.value.code == ExitCode.NOT_READY
    assert [part.name for part, _ in operating.there([gone, BACKEND])] == ["backend"]
