"""`llmctl status`: one screen out of what the Kubernetes API lists."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scripts.cli.status import commands as status
from scripts.cli.tools import Tools
from scripts.cluster.api import ClusterApi
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.overview import Backup, overview, read
from stacks.platform.components.llm_gateway.address import NAMESPACE as GATEWAY
from tests.support.cli.terminals import Nobody
from tests.support.cluster.fake_api import FakeCluster, fake_api

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def node(name: str, pool: str, size: str, *, ready: bool = True, spot: bool = False, gpus: int = 0) -> dict[str, Any]:
    labels = {"kubernetes.azure.com/agentpool": pool, "node.kubernetes.io/instance-type": size}
    if spot:
        labels["kubernetes.azure.com/scalesetpriority"] = "spot"
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
            "allocatable": {"nvidia.com/gpu": str(gpus)} if gpus else {},
        },
    }


def pod(namespace: str, name: str, *, on: str = "n1", ready: bool = True, **changed: Any) -> dict[str, Any]:
    item = {
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "creationTimestamp": "2026-11-30T11:45:00Z"},
        "spec": {"nodeName": on, "containers": [{"name": "c", "resources": {}}]},
        "status": {"phase": "Running", "containerStatuses": [{"ready": ready, "restartCount": 0, "state": {}}]},
    }
    for key, value in changed.items():
        item[key] = {**item[key], **value}  # type: ignore[dict-item]
    return item


def deployment(namespace: str, name: str, *, ready: int = 1, wanted: int = 1) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


CERTIFICATE = {
    "metadata": {"namespace": "chat", "name": "chat-tls"},
    "status": {
        "notAfter": (NOW + timedelta(days=72, hours=1)).isoformat(),
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}
UNSCHEDULED = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}],
    "containerStatuses": [],
}


def test_a_pod_that_waits_says_why_and_for_how_long() -> None:
    seen = read([pod("serving", "ollama-1", on="", status=UNSCHEDULED)], [], NOW)
    (waiting,) = seen.waiting
    assert (waiting.why, waiting.minutes) == ("0/3 nodes are available", 15)


@pytest.mark.parametrize(
    "fine",
    [
        pod("a", "ready"),
        pod("a", "done", ready=False, status={"phase": "Succeeded"}),
        pod("a", "leaving", ready=False, metadata={"deletionTimestamp": "2026-11-30T11:59:00Z"}),
    ],
)
def test_what_runs_has_ended_or_leaves_is_not_waiting(fine: dict[str, Any]) -> None:
    assert read([node("n1", "w", "Standard_D4ds_v5"), fine], [], NOW).waiting == ()


def test_a_pod_on_a_node_that_is_gone_is_named() -> None:
    stuck = pod("opik", "opik-mysql-0", metadata={"deletionTimestamp": "2026-11-30T11:30:00Z"})
    (waiting,) = read([node("n1", "w", "Standard_D4ds_v5", ready=False), stuck], [], NOW).waiting
    assert waiting.why == "Terminating, but its node n1 does not answer"
    assert waiting.minutes == 30


def test_gpus_are_counted_where_they_can_be_used_and_where_they_are() -> None:
    limits = {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}], "nodeName": "g1"}
    seen = read(
        [
            node("g1", "t4", "Standard_NC4as_T4_v3", spot=True, gpus=1),
            node("g2", "t4", "Standard_NC4as_T4_v3", spot=True, gpus=1, ready=False),
            pod("serving", "engine", spec=limits),
        ],
        [],
        NOW,
    )
    (pool,) = seen.nodes
    assert (pool.nodes, pool.ready, pool.gpus, seen.gpus_in_use) == (2, 1, 1, 1)


def test_a_certificate_tells_its_days_or_why_there_is_none() -> None:
    challenge = {"type": "Ready", "status": "False", "message": "Waiting for CertificateRequest"}
    failing = {"metadata": {"namespace": "opik", "name": "opik-tls"}, "status": {"conditions": [challenge]}}
    fresh = {"metadata": {"namespace": "opik", "name": "new"}}
    found = read([], [CERTIFICATE, failing, fresh], NOW).certificates
    assert [(one.days_left, one.trouble) for one in found] == [
        (72, ""),
        (None, "Waiting for CertificateRequest"),
        (None, "not issued yet"),
    ]


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster()
    found.add("nodes", node("n1", "workload", "Standard_D4ds_v5"))
    found.add(
        "deployments",
        {**deployment("chat", "open-webui", ready=1, wanted=2), "frozen": True},
        {**deployment(GATEWAY, "litellm"), "frozen": True},
        {**deployment("kube-system", "coredns", ready=2, wanted=2), "frozen": True},
    )
    found.add("pods", pod("chat", "open-webui-2", ready=False, status={"phase": "Pending", "containerStatuses": []}))
    found.add("statefulsets")
    found.add("daemonsets")
    made = {"namespace": "opik", "name": "newest-backup-set", "labels": {"platform/backup-set": "20261129T020000Z"}}
    found.add("jobs", {"metadata": {**made, "creationTimestamp": "2026-11-29T02:00:00Z"}})
    found.add("certificates", CERTIFICATE)
    return found


@pytest.fixture
def api(cluster: FakeCluster, tmp_path: Path) -> Iterator[ClusterApi]:
    with fake_api(cluster, tmp_path) as api:
        yield api


def run(api: ClusterApi, *words: str) -> Result:
    tools = Tools(kubectl_of=lambda _name: Kubectl("fake"), cluster_of=lambda _kubectl: api, terminal=Nobody())
    return CliRunner().invoke(status.app, words, obj=tools)


def test_the_screen_answers_what_runs_what_waits_and_what_it_costs(api: ClusterApi) -> None:
    said = run(api, "dev").output
    assert said.startswith("dev: 2 of 3 workloads run\n")
    assert "  chat           not ready: open-webui 1/2" in said
    assert "  llm_gateway    1 workload runs" in said
    assert "  cluster        1 workload runs" in said
    assert "chat/open-webui-2" in said
    assert "workload     1 of 1 ready, Standard_D4ds_v5" in said
    assert "phi3.5               has no engine in the cluster" in said
    assert "Nodes cost 0.23 USD an hour now" in said


def test_programs_get_the_same_as_json(api: ClusterApi) -> None:
    found = json.loads(run(api, "dev", "--json").output)
    assert found["nodes_usd_per_hour"]["amount"] == pytest.approx(0.226, abs=0.001)
    assert found["workloads"][0]["name"] == "open-webui"
    assert found["backup"]["set_id"] == "20261129T020000Z"
    assert {"scalers", "deployments"}.isdisjoint(found)


def test_the_screen_says_when_the_last_backup_was_made_and_whether_it_is_late(
    api: ClusterApi, cluster: FakeCluster
) -> None:
    assert read_backup(api, datetime(2026, 11, 29, 12, 30, tzinfo=UTC)) == Backup("20261129T020000Z", 10)
    assert "20261129T020000Z" in run(api, "dev").output
    cluster.objects["jobs"].clear()
    assert "Last backup    none yet: llmctl backup create" in run(api, "dev").output


def read_backup(api: ClusterApi, now: datetime) -> Backup | None:
    return overview(api, now).backup
