"""Each kind of error that the proof is for, put in on purpose: the real API, Helm or a check of the proof tells it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.kube.api import ApiError, Object
from scripts.lab.kube.definitions import define
from stacks.settings import load_settings
from tests.support.cluster import checks as cluster_checks
from tests.support.cluster.helm_client import HelmError
from tests.support.cluster.install import Charts, NeverReadyError, Platform
from tests.support.cluster.real_cluster import helm, running
from tests.support.cluster.steps import Step
from tests.support.patience import PATIENCE_S
from tests.support.stacks.components import namespaces

pytestmark = pytest.mark.cluster
SPACE = "broken"


MADE = {
    "apps/v1": ("Deployment",),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "batch/v1": ("Job",),
    "monitoring.coreos.com/v1": ("PodMonitor",),
    "networking.k8s.io/v1": ("Ingress",),
    "v1": ("Service", "Secret", "PersistentVolumeClaim", "Event"),
}
"""What tests of this module make in the namespace, and what the cluster says of it."""
NEVER_S = 10
"""How long is waited for what never comes to be."""


@pytest.fixture(scope="module")
def module_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return a platform with one namespace, bounded as those of controllers are."""
    folder = tmp_path_factory.mktemp("broken")
    with running(folder, load_settings("dev")) as alive:
        define(alive.api, "kube-prometheus-stack", "keda")
        found = Platform(alive.api, helm(alive, folder), Charts(folder, folder))
        _bounded(found)
        yield found


def _bounded(found: Platform) -> None:
    (rules,) = (item for item in namespaces(load_settings("dev")) if item.name == "cert-manager")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": SPACE}
    found.apply(Step("kubernetes_namespace_v1", SPACE, {"metadata": metadata | {"labels": labels}}))
    where, hard = {"name": "quota", "namespace": SPACE}, dict(rules.quota) | {"persistentvolumeclaims": "1"}
    found.apply(Step("kubernetes_resource_quota_v1", "quota", {"metadata": where, "spec": {"hard": hard}}))
    # A quota counts from the moment at which the controller has seen it.
    quota = found.sent["kubernetes_resource_quota_v1.quota"]
    found.wait(lambda: bool(found.api.get(quota).get("status", {}).get("hard")), "no quota", quota)


@pytest.fixture
def platform(module_platform: Platform) -> Iterator[Platform]:
    """Return the platform with its namespace empty; a namespace of each test's own would take five seconds to go."""
    found = Platform(module_platform.api, module_platform.helm, module_platform.charts)
    yield found
    for address in list(found.releases):
        found.helm.run("uninstall", found.releases.pop(address)["name"], "--namespace", SPACE)
    for api_version, kinds in MADE.items():
        for kind in kinds:
            for item in found.api.list(api_version, kind, SPACE):
                found.api.delete(item)
    pods = thing("v1", "Pod", "all")
    found.wait(lambda: not found.api.list("v1", "Pod", SPACE), "pods stay", pods)


POD_CONTEXT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER: dict[str, Any] = {
    "name": "main",
    "image": "example.com/none:1",
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}


def deployment(*, replicas: int | None = 1, **container: Any) -> Object:
    labels = {"app": "web"}
    scale = {} if replicas is None else {"replicas": replicas}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": SPACE},
        "spec": {
            **scale,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"securityContext": POD_CONTEXT, "containers": [CONTAINER | container]},
            },
        },
    }


def thing(api_version: str, kind: str, name: str, **content: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": SPACE}, **content}


def release(platform: Platform, folder: Path, *objects: Object) -> Step:
    """Write a chart with the objects, and return a release of it."""
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: broken\nversion: 1.0.0\n")
    (chart / "templates" / "all.yaml").write_text("\n---\n".join(json.dumps(item) for item in objects))
    platform.charts.stack_folder = folder
    arguments = {"name": "broken", "namespace": SPACE, "chart": "./chart", "values": [], "wait_for_jobs": True}
    return Step("helm_release", "broken", arguments)


def job(**context: Any) -> Step:
    """Return a Job as the stack configures its own, its container's security context as given."""
    container = {
        "name": "run",
        "image": "example.com/none:1",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}} | context,
    }
    pod = {
        "security_context": {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}},
        "container": [container],
        "restart_policy": "Never",
    }
    return Step(
        "kubernetes_job_v1",
        "job",
        {"metadata": {"name": "job", "namespace": SPACE}, "spec": {"template": {"metadata": {}, "spec": pod}}},
    )


def test_admission_a_boolean_left_out_is_sent_as_false_and_refused(platform: Platform) -> None:
    platform.wait_s = NEVER_S
    with pytest.raises(NeverReadyError, match=r'violates PodSecurity "restricted.*runAsNonRoot != true'):
        platform.apply(job())


def test_admission_the_same_job_completes_with_the_boolean_stated(platform: Platform) -> None:
    platform.apply(job(run_as_non_root=True))


def test_quota_a_node_port_is_refused(platform: Platform) -> None:
    with pytest.raises(ApiError, match=r"exceeded quota: quota, requested: services.nodeports=1"):
        platform.api.create(thing("v1", "Service", "solver", spec={"type": "NodePort", "ports": [{"port": 8089}]}))


def test_quota_pods_of_a_release_that_do_not_fit_fail_it(platform: Platform, tmp_path: Path) -> None:
    platform.wait_s = NEVER_S
    greedy = CONTAINER["resources"] | {"limits": {"memory": "9Gi"}}
    with pytest.raises(HelmError, match=r"exceeded quota: quota, requested: limits.memory=9Gi"):
        platform.apply(release(platform, tmp_path, deployment(resources=greedy)))


def test_name_clash_a_secret_that_was_delivered_is_not_taken_over(platform: Platform, tmp_path: Path) -> None:
    secret = thing("v1", "Secret", "vllm-secrets", stringData={"key": "value"})
    platform.api.create(secret)
    with pytest.raises(HelmError, match=r"vllm-secrets.*exists and cannot be imported into the current release"):
        platform.apply(release(platform, tmp_path, secret))


def test_strict_an_unknown_field_is_refused(platform: Platform) -> None:
    wrong = deployment()
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    with pytest.raises(ApiError, match=r'unknown field "spec.template.spec.terminationGracePeriod"'):
        platform.api.create(wrong)


def test_strict_an_unknown_field_of_a_release_is_told(platform: Platform, tmp_path: Path) -> None:
    wrong = deployment()
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    step = release(platform, tmp_path, wrong)
    platform.apply(step)
    assert list(platform.unknown_fields(step)) == [
        'Deployment web: strict decoding error: unknown field "spec.template.spec.terminationGracePeriod"'
    ]


def test_missing_port_of_a_service(platform: Platform) -> None:
    platform.api.create(deployment(ports=[{"name": "http", "containerPort": 8080}]))
    port = {"name": "http", "port": 80, "targetPort": "metrics"}
    platform.api.create(thing("v1", "Service", "web", spec={"selector": {"app": "web"}, "ports": [port]}))
    assert list(cluster_checks.doors(platform.api)) == [
        "Service broken/web sends to port metrics, which Deployment broken/web does not have"
    ]


def test_missing_port_of_an_ingress(platform: Platform) -> None:
    platform.api.create(thing("v1", "Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]}))
    backend = {"service": {"name": "web", "port": {"number": 8080}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"host": "chat.example.com", "http": {"paths": [path]}}
    platform.api.create(thing("networking.k8s.io/v1", "Ingress", "web", spec={"rules": [rule]}))
    assert list(cluster_checks.doors(platform.api)) == [
        "Ingress broken/web sends to port 8080, which Service web does not have"
    ]


def test_missing_port_of_a_monitor(platform: Platform) -> None:
    platform.api.create(deployment(ports=[{"name": "admin", "containerPort": 9090}]))
    spec = {"selector": {"matchLabels": {"app": "web"}}, "podMetricsEndpoints": [{"port": "metrics"}]}
    platform.api.create(thing("monitoring.coreos.com/v1", "PodMonitor", "web", spec=spec))
    assert list(cluster_checks.doors(platform.api)) == [
        "PodMonitor broken/web measures port metrics, where only admin are open"
    ]


def test_dead_key_of_a_secret(platform: Platform) -> None:
    platform.api.create(thing("v1", "Secret", "keys", stringData={"password": "any"}))
    reference = {"secretKeyRef": {"name": "keys", "key": "pasword"}}
    platform.api.create(deployment(env=[{"name": "PASSWORD", "valueFrom": reference}]))
    assert list(cluster_checks.dangling(platform.api)) == [
        "Deployment broken/web reads key pasword of Secret keys, which has password"
    ]


def test_dead_key_of_values(platform: Platform, tmp_path: Path) -> None:
    step = release(platform, tmp_path, thing("v1", "ConfigMap", "map", data={"size": "{{ .Values.size }}"}))
    step.arguments["values"] = ["size: 1\nsise: 2\nnested: {unread: true}\n"]
    assert platform.dead_values(step) == ["nested.unread", "sise"]


def test_drift_replicas_that_an_upgrade_sets_back(platform: Platform, tmp_path: Path) -> None:
    # Rendered without replicas; the autoscaler's minimum is two.
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": usage}]
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3, "metrics": metrics}
    autoscaler = thing("autoscaling/v2", "HorizontalPodAutoscaler", "web", spec=spec)
    web = deployment(replicas=None)
    web["spec"]["replicas"] = None
    platform.apply(release(platform, tmp_path, web, autoscaler))
    platform.wait(
        lambda: platform.api.get(web)["spec"]["replicas"] == 2, "the autoscaler does nothing", web, PATIENCE_S
    )
    before = cluster_checks.fingerprint(platform.api)
    platform.upgrade_all()
    assert cluster_checks.fingerprint(platform.api) != before


def test_scheduling_a_pod_that_no_node_takes(platform: Platform) -> None:
    greedy = {"limits": {"nvidia.com/gpu": "1", "memory": "16Mi"}, "requests": {"cpu": "10m", "memory": "16Mi"}}
    platform.api.create(deployment(resources=greedy))
    pods = platform.api.path("v1", "Pod", SPACE)
    platform.wait(
        lambda: "untolerated taint" in json.dumps(platform.api.request("GET", pods)), "no word of taints", deployment()
    )
    assert any("web-" in text and "untolerated taint" in text for text in cluster_checks.unsettled(platform.api))


def test_a_claim_that_nothing_serves(platform: Platform) -> None:
    platform.wait_s = NEVER_S
    with pytest.raises(NeverReadyError, match="claim is never bound"):
        platform.apply(
            Step(
                "kubernetes_persistent_volume_claim_v1",
                "claim",
                {
                    "metadata": {"name": "claim", "namespace": SPACE},
                    "spec": {
                        "access_modes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                        "storage_class_name": "unknown",
                    },
                },
            )
        )
