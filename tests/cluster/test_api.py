"""Requests to the API by the official client: pages, refusals, servers that are busy, slow, broken or away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cluster.api import ClusterApi, ClusterError
from scripts.cluster.client import PAGE, connect
from scripts.core.errors import ExitCode
from tests.support.cluster.fake_api import CONTEXT, FakeCluster, fake_api, write_kubeconfig

PODS = "/api/v1/namespaces/chat/pods"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def api(cluster: FakeCluster, tmp_path: Path) -> Iterator[ClusterApi]:
    with fake_api(cluster, tmp_path) as api:
        yield api


def test_a_list_of_several_pages_is_whole(api: ClusterApi, cluster: FakeCluster) -> None:
    cluster.add("events", *({"metadata": {"namespace": "chat", "name": str(n)}} for n in range(2 * PAGE + 3)))
    assert [int(item["metadata"]["name"]) for item in api.items("events", "chat")] == list(range(2 * PAGE + 3))


@pytest.mark.parametrize(
    ("status", "code", "fix"),
    [
        (401, ExitCode.NOT_READY, "log in with `az login`"),
        (403, ExitCode.FAILED, "docs/reference/permissions.md lists the roles of operators"),
        (404, ExitCode.FAILED, ""),
        (409, ExitCode.FAILED, ""),
        (422, ExitCode.FAILED, ""),
    ],
)
def test_a_refusal_is_one_sentence(
    status: int, code: ExitCode, fix: str, api: ClusterApi, cluster: FakeCluster
) -> None:
    cluster.faults[PODS] = [(status, {}, b'{"message": "because it is so"}')]
    with pytest.raises(ClusterError) as refused:
        api.items("pods", "chat")
    assert refused.value.message == f"the cluster answers {status} to GET {PODS}: because it is so"
    assert (refused.value.code, refused.value.fix, refused.value.status) == (code, fix, status)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(status: int, api: ClusterApi, cluster: FakeCluster) -> None:
    cluster.faults[PODS] = [(status, {"Retry-After": "0"}, b"")] * 2
    assert api.items("pods", "chat") == []


def test_a_server_that_stays_busy_is_told(api: ClusterApi, cluster: FakeCluster) -> None:
    cluster.faults[PODS] = [(503, {"Retry-After": "0"}, b"upstream is down")] * 9
    with pytest.raises(ClusterError, match="the cluster answers 503 to GET"):
        api.items("pods", "chat")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items": [', b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_told(body: bytes, api: ClusterApi, cluster: FakeCluster) -> None:
    cluster.faults[PODS] = [(200, {}, body)]
    with pytest.raises(ClusterError, match="cannot be read"):
        api.items("pods", "chat")


def test_a_change_is_never_sent_twice(api: ClusterApi, cluster: FakeCluster) -> None:
    cluster.add("deployments", {"metadata": {"namespace": "chat", "name": "a"}})
    cluster.faults["/apis/apps/v1/namespaces/chat/deployments/a"] = [(503, {"Retry-After": "0"}, b"")]
    with pytest.raises(ClusterError, match="answers 503 to PATCH"):
        api.patch("deployments", "chat", "a", {"spec": {"replicas": 1}})
    assert [call[0] for call in cluster.calls] == ["PATCH"]


def test_nobody_at_the_address_is_told_with_a_way_on(tmp_path: Path) -> None:
    api = connect(CONTEXT, configuration=write_kubeconfig(tmp_path, "http://127.0.0.1:1"), timeout_s=0.5, pause_s=0)
    with pytest.raises(ClusterError, match="the cluster does not answer") as away:
        api.items("pods")
    assert away.value.code == ExitCode.NOT_READY
    assert "off-hours" in away.value.fix


def test_a_context_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="the login to the cluster cannot be used") as gone:
        connect("other", configuration=write_kubeconfig(tmp_path, "http://127.0.0.1:1"))
    assert gone.value.code == ExitCode.NOT_READY


def test_a_kind_that_the_cluster_does_not_know_has_no_objects(api: ClusterApi) -> None:
    assert api.known_items("scaledobjects", "serving") == []
