"""Volumes that lost their claim and workloads that were stopped, on the real Kubernetes API."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import pause, paused_workloads, resume
from scripts.cluster.volumes import free, released
from scripts.lab.kube.api import Api, ApiError, Object
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

NAMESPACE = "kept-disks"


def until(found: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end, what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as found:
        yield found


@pytest.fixture
def kubectl(alive: Running, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """Return kubectl as commands have it, for this cluster."""
    monkeypatch.setenv("KUBECONFIG", str(alive.kubeconfig))
    asked = ["kubectl", "config", "current-context"]
    done = subprocess.run(asked, env=os.environ, capture_output=True, text=True, check=True)
    return Kubectl(done.stdout.strip())


@pytest.fixture
def namespace(alive: Running) -> Iterator[str]:
    item: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    alive.api.create(item)
    yield NAMESPACE
    alive.api.delete(item)
    until(lambda: not there(alive.api, item), "the namespace does not go")


def there(api: Api, item: Object) -> bool:
    try:
        api.get(item)
    except ApiError:
        return False
    return True


def volume(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "16Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "static-disk",
            "claimRef": {"namespace": NAMESPACE, "name": "opik-mysql"},
            "csi": {"driver": "disk.csi.azure.com", "volumeHandle": f"/subscriptions/0/disks/{name}"},
        },
    }


def claim(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "opik-mysql", "namespace": NAMESPACE},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "static-disk",
            "volumeName": name,
            "resources": {"requests": {"storage": "16Gi"}},
        },
    }


def phase(api: Api, item: Object) -> str:
    return str(api.get(item).get("status", {}).get("phase", ""))


def test_a_volume_whose_claim_was_deleted_is_bound_to_the_next_one(
    alive: Running, kubectl: Kubectl, namespace: str
) -> None:
    disk, used = volume("llm-dev-mysql"), claim("llm-dev-mysql")
    alive.api.create(disk)
    alive.api.create(used)
    until(lambda: phase(alive.api, used) == "Bound", "the first claim is not bound")
    assert released(kubectl) == []
    alive.api.delete(used)
    until(lambda: phase(alive.api, disk) == "Released", "the volume is not released")
    alive.api.create(used)
    (found,) = released(kubectl)
    assert (found.name, found.namespace, found.claim) == ("llm-dev-mysql", namespace, "opik-mysql")
    # Kubernetes alone would wait for ever.
    assert phase(alive.api, used) == "Pending"
    free(kubectl, found)
    until(lambda: phase(alive.api, used) == "Bound", "the new claim is not bound")
    assert alive.api.get(disk)["spec"]["csi"]["volumeHandle"] == "/subscriptions/0/disks/llm-dev-mysql"
    before = alive.api.get(disk)
    free(kubectl, found)
    assert alive.api.get(disk)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    alive.api.delete(used)
    alive.api.delete(disk)


def store(**pod: object) -> Object:
    labels = {"app": "opik-mysql"}
    container = {"name": "main", "image": "example.com/none:1"}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0} | pod
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "opik-mysql", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "serviceName": "opik-mysql",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def ready(api: Api, item: Object) -> bool:
    return bool(api.get(item).get("status", {}).get("readyReplicas", 0))


def test_what_is_stopped_is_found_again_and_started_with_as_many_pods(
    alive: Running, kubectl: Kubectl, namespace: str
) -> None:
    workload = store()
    alive.api.create(workload)
    until(lambda: ready(alive.api, workload), "the store does not start")
    pod: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "opik-mysql-0", "namespace": namespace}}
    pause(kubectl, namespace, "statefulset/opik-mysql")
    assert not there(alive.api, pod)
    # A second command that stops what is stopped must not note zero.
    pause(kubectl, namespace, "statefulset/opik-mysql")
    assert paused_workloads(kubectl) == [(namespace, "statefulset/opik-mysql")]
    assert resume(kubectl, namespace, "statefulset/opik-mysql")
    until(lambda: ready(alive.api, workload), "the store does not start again")
    assert paused_workloads(kubectl) == []
    assert not resume(kubectl, namespace, "statefulset/opik-mysql")
