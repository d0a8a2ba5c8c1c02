"""Stores first, backend afterwards, on a real Kubernetes API: real controllers roll them, the real kubectl waits."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.lab.kube.api import Api, ApiError, Object
from stacks.platform.components.opik import settling
from stacks.settings import load_settings
from tests.support.cluster.real_cluster import Running, running
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.cluster

NAMESPACE = "opik-settling"
ACCOUNT = "opik-backend"
STATEFUL_SETS = ("opik-mysql", "opik-redis-master", "opik-zookeeper", "chi-opik-clickhouse-cluster-0-0")
INSTALLATION: Object = {
    "apiVersion": "clickhouse.altinity.com/v1",
    "kind": "ClickHouseInstallation",
    "metadata": {"name": "opik-clickhouse", "namespace": NAMESPACE},
}


def definition() -> Object:
    """Return what the test needs of the operator's definition: a kind whose status anybody may write."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {
        "kind": "ClickHouseInstallation",
        "plural": "clickhouseinstallations",
        "singular": "clickhouseinstallation",
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "clickhouseinstallations.clickhouse.altinity.com"},
        "spec": {"group": "clickhouse.altinity.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def workload(kind: str, name: str, fingerprint: str) -> Object:
    labels = {"app": name}
    pod = {
        "metadata": {"labels": labels, "annotations": {"platform/configuration": fingerprint}},
        "spec": {
            "containers": [{"name": "main", "image": "example.com/none:1"}],
            # Fake nodes end pods at once.
            "terminationGracePeriodSeconds": 0,
        },
    }
    spec: Object = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def stores(fingerprint: str) -> list[Object]:
    return [workload("StatefulSet", name, fingerprint) for name in STATEFUL_SETS] + [
        workload("Deployment", "opik-minio", fingerprint)
    ]


def rights() -> list[Object]:
    """Return account, Role and binding as Terraform's provider sends them."""
    here = {"name": ACCOUNT, "namespace": NAMESPACE}
    names = {"api_groups": "apiGroups", "resources": "resources", "resource_names": "resourceNames", "verbs": "verbs"}
    rules = [{names[key]: value for key, value in rule.items()} for rule in settling.RIGHTS]
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here, "automountServiceAccountToken": False},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": here, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": here,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", **here}],
        },
    ]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("kube"), load_settings("dev")) as found:
        api = found.api
        try:
            api.create(definition())
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        api.create(space)
        for item in [*rights(), *stores("old")]:
            api.create(item)
        until(lambda: _served(api))
        api.create(INSTALLATION | {"status": {"status": "Completed"}})
        yield found
        api.delete(space)


def _served(api: Api) -> bool:
    try:
        api.request("GET", "/apis/clickhouse.altinity.com/v1")
    except ApiError:
        return False
    return True


@pytest.fixture
def backend(alive: Running, tmp_path: Path) -> dict[str, str]:
    """Return the environment of the container: the real kubectl, and the token of the backend's account."""
    program = shutil.which("kubectl")
    assert program, "kubectl is not on PATH: .ci/run brings it"
    view = subprocess.run(
        [program, "--kubeconfig", str(alive.kubeconfig), "config", "view", "--raw", "--flatten", "-o", "json"],
        capture_output=True,
        check=True,
    )
    (cluster, *_) = json.loads(view.stdout)["clusters"]
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = alive.api.request("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token", asked)
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": "pod", "user": {"token": answer["status"]["token"]}}],
        "contexts": [{"name": "pod", "context": {"cluster": cluster["name"], "user": "pod"}}],
        "current-context": "pod",
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(configuration))
    path.chmod(0o600)
    return {"PATH": os.environ["PATH"], "KUBECONFIG": str(path), "TMPDIR": str(tmp_path), "SETTLE_POLL_S": "0.2"}


def waiting(fingerprint: str) -> list[str]:
    fingerprints = dict.fromkeys(settling.WORKLOADS, fingerprint)
    return ["sh", str(settling.SCRIPT), *settling.arguments(NAMESPACE, fingerprints)]


def roll(api: Api, item: Object, **pod: object) -> None:
    """Change a store as an upgrade does."""
    template = item["spec"]["template"]
    api.patch(item, {"spec": {"template": {"metadata": template["metadata"], "spec": pod}}})


def state(api: Api, status: str) -> None:
    api.patch(INSTALLATION, {"status": {"status": status}})


def test_the_backend_waits_until_every_store_has_rolled_on_a_real_api(
    alive: Running, backend: dict[str, str], tmp_path: Path
) -> None:
    api = alive.api
    # Stores that stand are passed: a pod that only restarts is not held up.
    done = subprocess.run(waiting("old"), env=backend, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.endswith("every store has settled\n"), done.stdout

    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(waiting("new"), env=backend, stdout=out, stderr=out) as process:
        try:
            until(
                lambda: log.read_text().count("still has the configuration before this one") >= len(STATEFUL_SETS) + 1
            )
            mysql, *others = stores("new")
            state(api, "InProgress")
            for item in others:
                roll(api, item)
            # No node fits, so MySQL's new pod does not come up: exactly when a backend must not migrate.
            roll(api, mysql, nodeSelector={"none": "fits"})
            until(lambda: _last(log).count("statefulset/opik-mysql has") == 1 and "before this one" not in _last(log))
            assert "0 ready of 1 pods" in _last(log)
            assert process.poll() is None
            roll(api, mysql, nodeSelector=None)
            api.delete(
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "opik-mysql-0", "namespace": NAMESPACE}}
            )
            until(lambda: _last(log) == "waiting: clickhouseinstallation/opik-clickhouse is InProgress, not Completed")
            assert process.poll() is None, "every workload has rolled, and ClickHouse's operator is not done"
            state(api, "Completed")
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert _last(log) == "every store has settled"


def _last(log: Path) -> str:
    lines = log.read_text().splitlines()
    return lines[-1] if lines else ""


@pytest.mark.parametrize(
    "words",
    [
        ["get", "statefulsets"],
        ["get", "statefulset", "another"],
        ["get", "pods"],
        ["get", "secrets"],
        ["get", "secret", "opik-stores"],
        ["delete", "statefulset", "opik-mysql"],
        ["scale", "statefulset", "opik-mysql", "--replicas=0"],
        ["patch", "clickhouseinstallation", "opik-clickhouse", "--type=merge", "-p", "{}"],
    ],
    ids=" ".join,
)
def test_the_backends_token_is_good_for_nothing_else(words: list[str], backend: dict[str, str]) -> None:
    done = subprocess.run(
        ["kubectl", "-n", NAMESPACE, *words],
        env=backend,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode != 0
    assert "forbidden" in done.stderr.lower()
