"""Logs, events, restarts, stops, scaling, shells and port-forwards on the real Kubernetes API, with pods that print.

kwok stands in for the kubelets: it serves each pod's log from a file, with the kubelet's own reader of logs, runs on
this machine what is started in a pod, and leads forwarded ports to a server of the test.
"""

import io
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.cluster.api import ClusterApi
from scripts.cluster.client import connect
from scripts.cluster.events import events
from scripts.cluster.kubectl import Kubectl, KubectlError
from scripts.cluster.log_stream import LogStream, Wanted, plain
from scripts.cluster.operating import Operating
from scripts.core.errors import OperatorError
from scripts.core.http import NoAnswerError, get
from scripts.core.workspace import ROOT
from scripts.lab.kube.api import Object
from scripts.lab.kube.cluster import CONTEXT
from stacks.platform.common.parts import Part
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, port_of, served

pytestmark = pytest.mark.cluster

NAMESPACE = "operated"
PODS = 100
LINES_PER_SECOND = 1_000
SECONDS = 5
TALKERS = Part(name="talkers", namespace=NAMESPACE, workload="statefulset/talkers", container="c")
CHAT = Part(name="chat", namespace=NAMESPACE, workload="deployment/chat", container="c")
SCALED = Part(
    name="scaled", namespace=NAMESPACE, workload="deployment/scaled", container="c", replicas_setting="chat.replicas"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("logs")
    for number in range(PODS):
        (found / f"talkers-{number}.log").touch()
    return found


def _log_of(folder: Path, number: int) -> Object:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Logs",
        "metadata": {"name": f"talkers-{number}", "namespace": NAMESPACE},
        "spec": {"logs": [{"logsFile": str(folder / f"talkers-{number}.log"), "follow": True}]},
    }


class Application(QuietHandler):
    """What a pod serves."""

    def do_GET(self) -> None:
        self.answer(200, f"the pod answers {self.path}".encode())


def _kubelet(kind: str, **does: object) -> Object:
    """Return what kwok does for all pods of the namespace in a kubelet's place."""
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": NAMESPACE},
        "spec": {"selector": {"matchNamespaces": [NAMESPACE]}, **does},
    }


@pytest.fixture(scope="module")
def application() -> Iterator[int]:
    with served(Application) as address:
        yield port_of(address)


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory, folder: Path, application: int) -> Iterator[Running]:
    simulated = [_log_of(folder, number) for number in range(PODS)]
    simulated.append(_kubelet("ClusterExec", execs=[{"local": {"envs": [{"name": "WHERE", "value": "inside"}]}}]))
    forward = {"target": {"address": "127.0.0.1", "port": application}}
    simulated.append(_kubelet("ClusterPortForward", forwards=[forward]))
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev"), simulated=simulated) as alive:
        if alive.cluster is None:
            pytest.fail("pods of a given cluster do not print what this test writes")
        alive.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        alive.api.create(_workload("StatefulSet", "talkers", 0, podManagementPolicy="Parallel", serviceName="talkers"))
        alive.api.create(_workload("Deployment", "chat", 3, strategy={"type": "Recreate"}))
        alive.api.create(_workload("Deployment", "scaled", 1))
        budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "chat"}}}
        alive.api.create(_object("policy/v1", "PodDisruptionBudget", "chat", budget))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"}
        scaler = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
        service = {"selector": {"app": "chat"}, "ports": [{"port": 80, "targetPort": 8080}]}
        alive.api.create(_object("v1", "Service", "chat", service))
        alive.api.create(_object("autoscaling/v2", "HorizontalPodAutoscaler", "scaled", scaler))
        yield alive


@pytest.fixture(scope="module")
def api(alive: Running) -> ClusterApi:
    return connect(CONTEXT, configuration=str(alive.kubeconfig))


def _object(version: str, kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _workload(kind: str, name: str, replicas: int, **more: object) -> Object:
    labels = {"app": name}
    resources = {"requests": {"cpu": "1m", "memory": "1Mi"}}
    pod = {"containers": [{"name": "c", "image": "none", "resources": resources}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **more}
    return _object("apps/v1", kind, name, spec)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def _uids(api: ClusterApi, name: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in api.items("pods", NAMESPACE, selector=f"app={name}")}


def _say(folder: Path, number: int, text: str) -> None:
    moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    with (folder / f"talkers-{number}.log").open("a", encoding="utf-8") as file:
        file.write(f"{moment} stdout F {text}\n")


def test_following_a_hundred_pods_loses_no_line_and_takes_new_pods_in(api: ClusterApi, folder: Path) -> None:
    operating = Operating(api, patience_s=PATIENCE_S)
    operating.scale(TALKERS, PODS - 10)
    to, told = io.BytesIO(), list[str]()
    stream = LogStream(api, [NAMESPACE], Wanted(lines=0, includes=_talks), tell=told.append)
    follower = threading.Thread(target=stream.follow, args=(to, plain), daemon=True)
    follower.start()
    # Each has a mark of its own, so that it is known when everybody is being read.
    for number in range(PODS - 10):
        _until(lambda number=number: _heard(to, folder, number))  # type: ignore[misc]
    operating.scale(TALKERS, PODS)
    began, said = time.monotonic(), 0
    while said < LINES_PER_SECOND * SECONDS:
        _say(folder, said % PODS, f"line {said}")
        said += 1
        time.sleep(max(0.0, began + said / LINES_PER_SECOND - time.monotonic()))
    _until(lambda: len(_lines(to)) >= said)
    assert sorted(_lines(to)) == sorted(f"line {number}" for number in range(said))
    stream.stop.set()
    follower.join(PATIENCE_S)
    assert told == []


def _talks(pod: Object) -> bool:
    return str(pod["metadata"]["name"]).startswith("talkers-")


def _lines(to: io.BytesIO) -> list[str]:
    texts = [line.partition(b" | ")[2].decode() for line in to.getvalue().splitlines()]
    return [text for text in texts if text.startswith("line ")]


def _heard(to: io.BytesIO, folder: Path, number: int) -> bool:
    mark = f"ready {number} {time.monotonic_ns()}"
    _say(folder, number, mark)
    time.sleep(0.05)
    return f"talkers-{number}/c | ready".encode() in to.getvalue()


def test_logs_of_many_pods_are_merged_by_time(api: ClusterApi) -> None:
    to = io.BytesIO()
    LogStream(api, [NAMESPACE], Wanted(includes=_talks)).print(to, lambda line: line.time + b" " + plain(line))
    times = [line.split(b" ")[0] for line in to.getvalue().splitlines()]
    assert len(times) > 100
    assert times == sorted(times)


def test_pods_that_would_all_end_at_once_are_replaced_one_by_one(api: ClusterApi) -> None:
    _until(lambda: len(_uids(api, "chat")) == 3)
    before = _uids(api, "chat")
    least = [3]
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            least.append(int(api.get("deployments", NAMESPACE, "chat")["status"].get("readyReplicas", 0)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert Operating(api, patience_s=PATIENCE_S).restart(CHAT)
    done.set()
    watcher.join(PATIENCE_S)
    assert not before & _uids(api, "chat")
    assert min(least) >= 2


def test_a_stop_and_a_start_bring_the_same_number_back(api: ClusterApi) -> None:
    operating = Operating(api, patience_s=PATIENCE_S)
    operating.stop(CHAT)
    assert _uids(api, "chat") == set()
    assert operating.start(CHAT)
    assert len(_uids(api, "chat")) == 3


def test_the_autoscaler_keeps_its_number(api: ClusterApi) -> None:
    with pytest.raises(OperatorError, match="horizontalpodautoscaler/scaled decides how many pods scaled has"):
        Operating(api).scale(SCALED, 2)


def test_events_of_a_namespace_are_in_the_order_of_time(api: ClusterApi) -> None:
    found = events(api, [NAMESPACE], since=datetime.now(UTC) - timedelta(minutes=10))
    assert "Scheduled" in {event.reason for event in found}
    times = [event.time for event in found]
    assert times == sorted(times)


@pytest.fixture
def kubectl(alive: Running, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    monkeypatch.setenv("KUBECONFIG", str(alive.kubeconfig))
    _until(lambda: len(_uids(api, "chat")) == 3)
    return Kubectl(CONTEXT)


def test_a_program_in_a_pod_gets_its_input_and_its_answer_comes_back(kubectl: Kubectl) -> None:
    inside = ("exec", "-i", "-n", NAMESPACE, "deployment/chat", "-c", "c", "--", "sh", "-c")
    # One line, for kwok keeps a program's input open; a kubelet closes it where it has ended.
    assert kubectl.run(*inside, 'read -r line; echo "$line $WHERE"', given="a question\n") == "a question inside\n"
    # kwok tells a failure without its number, which a kubelet hands on.
    with pytest.raises(KubectlError, match="kubectl exec failed"):
        kubectl.run(*inside, "exit 7")


SHELL = """
import sys
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.workload import Workload
context, namespace = sys.argv[1:]
workload = Workload(Kubectl(context), namespace, "deployment/chat", container="c")
sys.exit(workload.shell("sh", "-c", 'test -t 0 && echo "a terminal $WHERE"'))
"""


def test_a_shell_in_a_pod_has_the_terminal_of_the_person(kubectl: Kubectl) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SHELL, kubectl.context, NAMESPACE]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 1024):
                said += piece
        except OSError:
            pass  # Linux ends a terminal that nobody holds any more with an error.
        os.close(ours)
    assert b"a terminal inside" in said
    assert process.returncode == 0


def test_a_service_answers_on_a_local_port_as_long_as_it_is_forwarded(kubectl: Kubectl) -> None:
    with kubectl.forwarded(NAMESPACE, "chat", 80) as url:
        assert get(f"{url}/health").body == b"the pod answers /health"
    with pytest.raises(NoAnswerError):
        get(f"{url}/health")
