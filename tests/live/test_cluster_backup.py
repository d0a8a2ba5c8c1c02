"""Opik's writes stopped and started on a real Kubernetes API, by the real kubectl, and killed at every step."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.backup.mark import NAME, mark_newest
from scripts.backup.quiesce import Quiescence
from scripts.backup.stores import Stores
from scripts.cluster.kubectl import Kubectl
from scripts.lab.kube.api import Api, Object
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

NAMESPACE = "opik"
SET = "20261130t030000z"
REPLICAS = {"opik-backend": 2, "opik-python-backend": 1, "opik-frontend": 1}
ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
from scripts.backup.quiesce import Quiescence
from scripts.backup.stores import Stores
from scripts.cluster.kubectl import Kubectl

step, count = int(sys.argv[2]), 0

def counted():
    global count
    count += 1
    if count == step:
        os.kill(os.getpid(), signal.SIGKILL)

class Counting(Kubectl):
    def run(self, *arguments, **more):
        writes = arguments[0] == "patch"
        if writes:
            counted()
        answer = super().run(*arguments, **more)
        if writes:
            counted()
        return answer

def run_in(_pod, _script, container="", argument=""):
    counted()
    return "0" if "system.merges" in argument else ""

with Quiescence(Counting(sys.argv[1]), Stores(run_in)).quiet("20261130t030000z"):
    counted()
print("done", count)
"""


def deployment(name: str, replicas: int) -> Object:
    labels = {"component": name}
    pod = {
        "metadata": {"labels": labels},
        # Fake nodes end pods at once.
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "example.com/none:1"}],
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod},
    }


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as found:
        space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        found.api.create(space)
        for name, replicas in REPLICAS.items():
            found.api.create(deployment(name, replicas))
        _until(lambda: _pods(found.api) == sum(REPLICAS.values()))
        yield found
        found.api.delete(space)


@pytest.fixture
def kubectl(alive: Running, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    assert shutil.which("kubectl"), "kubectl is not on PATH: .ci/run brings it"
    monkeypatch.setenv("KUBECONFIG", str(alive.kubeconfig))
    done = subprocess.run(["kubectl", "config", "current-context"], capture_output=True, text=True, check=True)
    return Kubectl(done.stdout.strip())


def _pods(api: Api) -> int:
    return sum(pod["metadata"]["namespace"] == NAMESPACE for pod in api.list("v1", "Pod"))


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def stores() -> Stores:
    return Stores(lambda *_where, **told: "0" if "system.merges" in told.get("argument", "") else "")


def replicas(kubectl: Kubectl) -> dict[str, int]:
    return {
        item["metadata"]["name"]: item["spec"]["replicas"] for item in kubectl.items("deployments", "-n", NAMESPACE)
    }


def marks(kubectl: Kubectl) -> list[str]:
    found = kubectl.items("deployments", "-n", NAMESPACE)
    return [key for item in found for key in item["metadata"].get("annotations", {}) if key.startswith("platform/")]


def test_pods_of_the_writers_are_gone_within_and_back_afterwards(alive: Running, kubectl: Kubectl) -> None:
    quiescence = Quiescence(kubectl, stores())
    with quiescence.quiet(SET):
        assert replicas(kubectl) == {"opik-backend": 0, "opik-python-backend": 0, "opik-frontend": 1}
        assert _pods(alive.api) == 1
        assert quiescence.leftover() == SET
    assert replicas(kubectl) == REPLICAS
    assert marks(kubectl) == []
    quiescence.wait_ready()
    assert _pods(alive.api) == sum(REPLICAS.values())


def test_killed_before_and_after_every_write_the_next_run_repairs(kubectl: Kubectl) -> None:
    killed = left = 0
    for step in range(1, 100):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, kubectl.context, str(step)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            assert done.stdout.startswith("done")
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
        left += bool(marks(kubectl))
        # What the next `backup create` does first: the killed process is known to be gone.
        Quiescence(kubectl, stores()).repair()
        assert replicas(kubectl) == REPLICAS, step
        assert marks(kubectl) == [], step
    assert killed >= 16
    assert left >= 12


def test_the_mark_of_the_newest_set_is_a_job_without_a_pod(alive: Running, kubectl: Kubectl) -> None:
    mark_newest(kubectl, SET)
    first = kubectl.json("get", "job", NAME, "-n", NAMESPACE)["metadata"]["uid"]
    mark_newest(kubectl, SET)
    found = kubectl.json("get", "job", NAME, "-n", NAMESPACE)
    assert found["metadata"]["uid"] != first
    assert found["spec"]["suspend"] is True
    assert [pod for pod in alive.api.list("v1", "Pod") if pod["metadata"]["name"].startswith(NAME)] == []
