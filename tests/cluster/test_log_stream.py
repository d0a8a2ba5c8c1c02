"""Logs of many containers as one stream: whole lines in order, each with its pod, none lost."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cluster.api import ClusterApi
from scripts.cluster.log_stream import Line, LogStream, Source, Wanted, as_json, coloured, plain, started
from tests.support.cluster.fake_api import FakeCluster, fake_api, workload

SOURCE = Source("chat", "open-webui-1", "open-webui")
LINE = Line(SOURCE, b"2026-11-30T12:00:00.000000001Z", b"INFO: started")


def stamped(number: int, text: str) -> str:
    return f"2026-11-30T12:00:{number // 1000:02}.{number % 1000:03}000000Z {text}\n"


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster()
    for space in "ab":
        found.add("deployments", workload("Deployment", space, f"web-{space}", replicas=25))
    for space in "ab":
        for number in range(25):
            lines = (stamped(at, f"{at} {'x' * 100}") for at in range(number, 20_000, 25))
            found.logs[f"web-{space}-{number}", "c"] = "".join(lines).encode()
    return found


@pytest.fixture
def api(cluster: FakeCluster, tmp_path: Path) -> Iterator[ClusterApi]:
    with fake_api(cluster, tmp_path) as api:
        yield api


def printed(api: ClusterApi, wanted: Wanted, *, namespaces: tuple[str, ...] = ("a", "b")) -> list[str]:
    to, told = io.BytesIO(), list[str]()
    LogStream(api, namespaces, wanted, tell=told.append).print(to, plain)
    assert told == []
    return to.getvalue().decode().splitlines()


def test_a_line_tells_its_pod_in_each_form() -> None:
    assert plain(LINE) == b"open-webui-1/open-webui | INFO: started\n"
    assert coloured(LINE).endswith(b"open-webui-1/open-webui\x1b[0m | INFO: started\n")
    assert json.loads(as_json(LINE)) == {
        "time": "2026-11-30T12:00:00.000000001Z",
        "namespace": "chat",
        "pod": "open-webui-1",
        "container": "open-webui",
        "line": "INFO: started",
    }


def test_no_line_of_fifty_pods_is_lost_or_mixed_and_time_orders_them(api: ClusterApi) -> None:
    lines = printed(api, Wanted())
    assert len(lines) == 40_000
    assert all(line.endswith("x" * 100) for line in lines)
    for space in "ab":
        mine = [line for line in lines if line.startswith(f"web-{space}-")]
        assert [int(line.split(" | ")[1].split()[0]) for line in mine] == list(range(20_000))


def test_lines_are_counted_for_each_container(api: ClusterApi) -> None:
    lines = printed(api, Wanted(lines=1), namespaces=("a",))
    assert sorted(int(line.split(" | ")[1].split()[0]) for line in lines) == list(range(19_975, 20_000))


def test_a_pattern_is_looked_for_in_the_text_alone(api: ClusterApi) -> None:
    assert printed(api, Wanted(pattern=re.compile(rb"^777 "))) == [
        f"web-{space}-2/c | 777 {'x' * 100}" for space in "ab"
    ]


def test_one_container_that_cannot_be_read_is_told_and_the_others_are_shown(
    api: ClusterApi, cluster: FakeCluster
) -> None:
    del cluster.logs["web-a-0", "c"]
    to, told = io.BytesIO(), list[str]()
    stream = LogStream(api, ("a",), Wanted(lines=1), tell=told.append)
    stream.print(to, plain)
    assert len(to.getvalue().splitlines()) == 24
    assert stream.failures == 1
    path = "/api/v1/namespaces/a/pods/web-a-0/log"
    assert told == [
        f'web-a-0/c: the cluster answers 400 to GET {path}: container "c" in pod "web-a-0" is waiting to start'
    ]


def test_pods_of_jobs_are_left_out(api: ClusterApi, cluster: FakeCluster) -> None:
    (pod,) = [item for item in cluster.listed("pods") if item["metadata"]["name"] == "web-a-0"]
    labels = {"app": "job", "batch.kubernetes.io/job-name": "migrate"}
    cluster.add("pods", {**pod, "metadata": {**pod["metadata"], "name": "migrate-1", "labels": labels}})
    assert [line for line in printed(api, Wanted(lines=1)) if line.startswith("migrate")] == []


def test_containers_that_have_written_nothing_yet_are_not_asked() -> None:
    statuses = [
        {"name": "runs", "state": {"running": {}}},
        {"name": "ended", "state": {"terminated": {}}, "restartCount": 2},
        {"name": "waits", "state": {"waiting": {"reason": "ContainerCreating"}}},
        {"name": "crashed", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3},
    ]
    pod = {"metadata": {"namespace": "a", "name": "p", "uid": "u"}, "status": {"containerStatuses": statuses}}
    assert [(each.container, each.restarts) for each in started(pod, Wanted())] == [("runs", 0), ("ended", 2)]
    before = [each.container for each in started(pod, Wanted(previous=True))]
    assert before == ["runs", "ended", "crashed"]
    assert [each.container for each in started(pod, Wanted(containers=("runs",)))] == ["runs"]
