"""Each known problem is recognised from what the programs write, and what is well is left alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.cluster.releases import PendingRelease
from scripts.core.azure import AzureError
from scripts.core.errors import OperatorError
from scripts.diagnostics.doctor import deliveries, engines, nodes, outside, pods, scheduling, storage
from scripts.diagnostics.doctor.problems import PROBLEMS
from scripts.diagnostics.doctor.snapshot import Snapshot

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def pod(name: str = "p", *, age: float = 20, node: str = "", phase: str = "Pending", **status: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "serving", "creationTimestamp": ago(age)}
    return {"kind": "Pod", "metadata": meta, "spec": {"nodeName": node}, "status": {"phase": phase, **status}}


def waiting(reason: str, message: str = "", *, name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}, "restartCount": 0, **more}


def event(about: dict[str, Any], reason: str, message: str, *, minutes: float = 1) -> dict[str, Any]:
    meta = about["metadata"]
    told = {"kind": about["kind"], "name": meta["name"], "namespace": meta.get("namespace", "")}
    return {
        "metadata": {},
        "involvedObject": told,
        "reason": reason,
        "message": message,
        "lastTimestamp": ago(minutes),
    }


def node(name: str = "gpu-1", *, ready: bool = True, age: float = 60, gpus: int | None = 1, labels: Any = None) -> Any:
    allocatable = {} if gpus is None else {"nvidia.com/gpu": str(gpus)}
    condition = {"type": "Ready", "status": "True" if ready else "Unknown", "lastTransitionTime": ago(age)}
    meta = {"name": name, "creationTimestamp": ago(age), "labels": labels or {}}
    return {"kind": "Node", "metadata": meta, "status": {"allocatable": allocatable, "conditions": [condition]}}


def seen(**kinds: list[Any]) -> Snapshot:
    names = {
        "claims": "persistentvolumeclaims",
        "certificates": "certificates.cert-manager.io",
        "challenges": "challenges.acme.cert-manager.io",
        "secrets": "externalsecrets.external-secrets.io",
    }
    return Snapshot(NOW, {names.get(kind, kind): items for kind, items in kinds.items()})


PLUGIN = {"metadata": {"name": "nvidia-device-plugin", "namespace": "gpu"}}
WAITS = pod()
SCHEDULING = {
    "untolerated-taint": "0/3 nodes are available: 3 node(s) had untolerated taint {sku: gpu}. preemption: 0/3",
    "no-room": "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint {x: y}.",
}
SCALING = {
    "azure-quota": "Node group t4 failed: QuotaExceeded: Operation could not be completed as it results in exceeding"
    " approved LowPriorityCores quota",
    "spot-capacity": "pod didn't trigger scale-up: 1 in backoff after failed scale-up",
}


@pytest.mark.parametrize("problem", SCHEDULING)
def test_pod_that_no_node_takes(problem: str) -> None:
    (found,) = scheduling.find(seen(pods=[WAITS], events=[event(WAITS, "FailedScheduling", SCHEDULING[problem])]))
    assert (found.problem.id, found.where) == (problem, "serving/p")
    assert found.detail == SCHEDULING[problem]


@pytest.mark.parametrize("problem", SCALING)
def test_pod_for_which_azure_has_nothing(problem: str) -> None:
    events = [
        event(WAITS, "FailedScheduling", SCHEDULING["no-room"]),
        event(WAITS, "FailedScaleUp", SCALING[problem], minutes=2),
    ]
    (found,) = scheduling.find(seen(pods=[WAITS], events=events))
    assert (found.problem.id, found.detail) == (problem, SCALING[problem])


def test_events_about_another_pod_of_that_name_elsewhere_count_nothing() -> None:
    other = {**WAITS, "metadata": {**WAITS["metadata"], "namespace": "chat"}}
    (found,) = scheduling.find(seen(pods=[WAITS], events=[event(other, "FailedScaleUp", SCALING["azure-quota"])]))
    assert found.problem.id == "no-room"


@pytest.mark.parametrize(
    "well",
    [
        pod(age=2),
        pod(phase="Succeeded"),
        pod(phase="Running", node="n", containerStatuses=[{"name": "c", "state": {"running": {}}, "restartCount": 9}]),
        pod(node="n", containerStatuses=[waiting("ContainerCreating")]),
        pod(phase="Running", node="n", initContainerStatuses=[{"name": "migrate", "state": {"terminated": {}}}]),
        pod(
            node="n",
            initContainerStatuses=[{"name": "migrate", "ready": False, "state": {"running": {"startedAt": ago(9)}}}],
        ),
    ],
)
def test_pod_that_is_well_or_new_is_no_problem(well: dict[str, Any]) -> None:
    found = seen(pods=[well])
    assert [*scheduling.find(found), *pods.find(found)] == []


def containers(*statuses: dict[str, Any], kind: str = "containerStatuses") -> Snapshot:
    found = pod(node="n")
    found["status"][kind] = list(statuses)
    return seen(pods=[found])


STUCK = {"name": "migrate", "ready": False, "state": {"running": {"startedAt": ago(45)}}}
KILLED = {
    "name": "c",
    "state": {"running": {}},
    "restartCount": 3,
    "lastState": {"terminated": {"reason": "OOMKilled"}},
}
FATAL = "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"


@pytest.mark.parametrize(
    ("found_in", "problem", "detail"),
    [
        (containers(waiting("ImagePullBackOff", "401 Unauthorized")), "image-pull-refused", "401 Unauthorized"),
        (containers(waiting("ErrImagePull", "failed to authorize")), "image-pull-refused", "failed to authorize"),
        (containers(waiting("ErrImagePull", "manifest unknown")), "image-missing", "manifest unknown"),
        (containers(waiting("InvalidImageName")), "image-missing", "InvalidImageName"),
        (containers(STUCK, kind="initContainerStatuses"), "migration-stuck", "migrate runs for 45 minutes"),
        (containers(KILLED), "out-of-memory", "c was killed 3 times"),
        (containers(waiting("CrashLoopBackOff", "back-off")), "crash-loop", "c: back-off"),
        (
            containers(waiting("CrashLoopBackOff", lastState={"terminated": {"message": FATAL}})),
            "database-connections",
            f"c: {FATAL}",
        ),
    ],
)
def test_container_that_does_not_run(found_in: Snapshot, problem: str, detail: str) -> None:
    (found,) = pods.find(found_in)
    assert (found.problem.id, found.detail) == (problem, detail)


def test_refusal_of_a_pull_is_read_from_the_event_which_says_more() -> None:
    one = pod(node="n", containerStatuses=[waiting("ImagePullBackOff", "Back-off pulling image")])
    said = 'Failed to pull image "r.azurecr.io/a:1": 403 Forbidden'
    (found,) = pods.find(seen(pods=[one], events=[event(one, "Failed", said)]))
    assert (found.problem.id, found.detail) == ("image-pull-refused", said)


def evicted(name: str) -> dict[str, Any]:
    found = pod(name, phase="Failed", reason="Evicted", message="The node was low on resource: ephemeral-storage.")
    found["metadata"]["ownerReferences"] = [{"name": "web"}]
    return found


def test_eviction_is_a_loop_from_the_third_pod_of_one_owner_on() -> None:
    assert list(pods.find(seen(pods=[evicted("a"), evicted("b")]))) == []
    (found,) = pods.find(seen(pods=[evicted("a"), evicted("b"), evicted("c")]))
    assert (found.problem.id, found.where) == ("eviction-loop", "serving/web")


def test_quota_of_a_namespace_is_read_from_what_its_replica_set_could_not_make() -> None:
    owner = {"kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "chat"}}
    said = 'pods "web-1-x" is forbidden: exceeded quota: bounds, requested: pods=1, used: pods=10, limited: pods=10'
    (found,) = scheduling.find(seen(events=[event(owner, "FailedCreate", said)]))
    assert (found.problem.id, found.where) == ("pod-quota", "chat/web-1")
    assert list(scheduling.find(seen(events=[event(owner, "FailedCreate", said, minutes=90)]))) == []


NVIDIA = {"kubernetes.azure.com/accelerator": "nvidia"}


def test_gpu_node_without_its_gpu_is_found_once_its_driver_had_time() -> None:
    assert list(nodes.find(seen(nodes=[node(gpus=None, age=10, labels=NVIDIA)], daemonsets=[PLUGIN]))) == []
    assert list(nodes.find(seen(nodes=[node(labels=NVIDIA)], daemonsets=[PLUGIN]))) == []
    (found,) = nodes.find(seen(nodes=[node(gpus=None, age=30, labels=NVIDIA)], daemonsets=[PLUGIN]))
    assert (found.problem.id, found.where) == ("gpu-not-offered", "gpu-1")
    assert "kubectl cordon gpu-1" in found.fix("dev")


def test_missing_device_plugin_is_the_problem_and_not_each_node() -> None:
    found = list(nodes.find(seen(nodes=[node(gpus=None, labels=NVIDIA), node("gpu-2", gpus=None, labels=NVIDIA)])))
    assert [one.problem.id for one in found] == ["device-plugin-missing"]
    assert list(nodes.find(seen(nodes=[node(gpus=None)]))) == [], "a node without GPUs"


def test_node_that_is_gone_is_a_problem_when_it_holds_pods() -> None:
    gone = node("n1", ready=False, age=20)
    stays = pod("db-0", node="n1", phase="Running")
    stays["metadata"]["deletionTimestamp"] = ago(10)
    (found,) = nodes.find(seen(nodes=[gone], pods=[stays, pod("other", node="n1", phase="Running")]))
    assert (found.problem.id, found.detail) == ("node-gone", "silent for 20 minutes; Terminating: serving/db-0")
    assert "llmctl disks free-node n1 prod" in found.fix("prod")
    assert list(nodes.find(seen(nodes=[node("n1", ready=False, age=5)], pods=[stays]))) == []


def lease(name: str, seconds: float) -> dict[str, Any]:
    moment = (NOW + timedelta(seconds=seconds)).isoformat()
    return {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": {"renewTime": moment}}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((-3, -9), []),
        ((400, 395), [("this machine", "400 s behind the nodes")]),
        ((-400, -400), [("this machine", "400 s ahead of the nodes")]),
        ((-3, 300), [("n1", "300 s ahead of this machine")]),
        ((-3, -300), []),
    ],
)
def test_clock_that_differs(seconds: tuple[float, float], expected: list[tuple[str, str]]) -> None:
    both = [node("n0"), node("n1")]
    found = nodes.find(seen(nodes=both, leases=[lease(f"n{i}", off) for i, off in enumerate(seconds)]))
    assert [(one.where, one.detail) for one in found if one.problem.id == "clock"] == expected


def claim(**status: str) -> dict[str, Any]:
    meta = {"name": "data", "namespace": "opik", "creationTimestamp": ago(20)}
    return {"kind": "PersistentVolumeClaim", "metadata": meta, "status": {"phase": "Pending", **status}}


def test_claim_without_a_volume_says_why() -> None:
    waits = event(claim(), "ProvisioningFailed", "could not find\na volume")
    (found,) = storage.find(seen(claims=[claim()], events=[waits]))
    assert (found.problem.id, found.detail) == ("claim-unbound", "could not find a volume")
    first = event(claim(), "WaitForFirstConsumer", "waiting for first consumer")
    assert list(storage.find(seen(claims=[claim()], events=[first]))) == []
    assert list(storage.find(seen(claims=[claim(phase="Bound")]))) == []


def test_disk_that_cannot_be_attached() -> None:
    one = pod(node="n", age=10)
    (found,) = storage.find(seen(pods=[one], events=[event(one, "FailedAttachVolume", "Multi-Attach error")]))
    assert (found.problem.id, found.detail) == ("disk-not-attached", "Multi-Attach error")


@pytest.mark.parametrize(
    ("used", "inodes", "detail"),
    [(90, 1, "90% full, 0 GiB"), (10, 95, "95% out of inodes"), (84, 84, None)],
)
def test_disk_that_fills_up_by_bytes_or_by_files(used: int, inodes: int, detail: str | None) -> None:
    volume = {"claim": "opik/data", "usedBytes": used, "capacityBytes": 100, "inodesUsed": inodes, "inodes": 100}
    assert [one.detail for one in storage.find(seen(), [volume])] == ([detail] if detail else [])


def resource(kind: str, ready: str, message: str = "", **more: Any) -> dict[str, Any]:
    meta = {"name": "it", "namespace": "chat", "creationTimestamp": ago(20)}
    condition = {"type": "Ready", "status": ready, "message": message}
    return {"kind": kind, "metadata": meta, "status": {"conditions": [condition], **more}}


def test_secret_that_does_not_arrive() -> None:
    item = resource("ExternalSecret", "False", "could not get secret data from provider")
    (found,) = deliveries.find(seen(secrets=[item, resource("ExternalSecret", "True")]))
    assert (found.problem.id, found.detail) == ("secret-not-delivered", "could not get secret data from provider")


def test_certificate_that_is_not_issued_tells_the_reason_of_its_challenge() -> None:
    item = {**resource("Certificate", "False", "Issuing"), "spec": {"dnsNames": ["chat.example.com"]}}
    reason = "Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'"
    challenge = {"spec": {"dnsName": "chat.example.com"}, "status": {"reason": reason}, "metadata": {}}
    other = {"spec": {"dnsName": "else.example.com"}, "status": {"reason": "not this"}, "metadata": {}}
    (found,) = deliveries.find(seen(certificates=[item], challenges=[other, challenge]))
    assert (found.problem.id, found.detail) == ("certificate-not-issued", f"chat.example.com: {reason}")
    (found,) = deliveries.find(seen(certificates=[item]))
    assert found.detail == "Issuing"


def test_certificate_that_is_renewed_too_late() -> None:
    soon, later = (resource("Certificate", "True", notAfter=ago(-days * 1440)) for days in (5, 60))
    (found,) = deliveries.find(seen(certificates=[soon, later]))
    assert (found.problem.id, found.detail) == ("certificate-late", "5 days left")


def test_release_that_a_killed_run_left() -> None:
    release = PendingRelease("chat", "open-webui", 3, "pending-upgrade", "2026-11-30", "secret/x", 2)
    (found,) = deliveries.releases([release])
    assert found.where == "chat/open-webui"
    assert "revision 2 stays" in found.detail
    assert "llmctl state unlock-release dev open-webui" in found.fix("dev")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (OperatorError("kubectl get: error: You must be logged in to the server (Unauthorized)"), "login-expired"),
        (AzureError("AADSTS70043: The refresh token has expired due to inactivity"), "login-expired"),
        (OperatorError("kubectl get: nodes is forbidden: User cannot list resource"), "no-role-in-cluster"),
        (OperatorError("kubectl get: Unable to connect to the server: dial tcp: i/o timeout"), "cluster-unreachable"),
    ],
)
def test_cluster_that_cannot_be_asked(error: OperatorError, problem: str) -> None:
    assert outside.of_error(error).problem.id == problem


def test_cluster_that_azure_has_stopped_or_failed() -> None:
    pools = [{"name": "t4", "provisioningState": "Failed"}, {"name": "system", "provisioningState": "Succeeded"}]
    cluster = {"name": "llm", "resourceGroup": "rg", "powerState": {"code": "Stopped"}, "agentPoolProfiles": pools}
    found = list(outside.of_cluster(cluster))
    assert [(one.problem.id, one.where) for one in found] == [("cluster-stopped", "llm"), ("resource-failed", "llm/t4")]
    assert "az aks start --name llm --resource-group rg" in found[0].fix("dev")
    assert list(outside.of_cluster({"name": "llm", "powerState": {"code": "Running"}})) == []


def test_resource_that_was_half_made() -> None:
    state = {"resources": [{"address": "a.b", "tainted": True}, {"address": "a.c"}]}
    (found,) = outside.of_states({"aks": state})
    assert "terraform untaint a.b` in cdktf.out/dev/stacks/aks" in " ".join(found.fix("dev").split())


def test_every_problem_is_named_once_and_its_fix_has_no_place_left() -> None:
    assert len({problem.id for problem in PROBLEMS}) == len(PROBLEMS)
    (found,) = pods.find(containers(waiting("CrashLoopBackOff", "x")))
    assert "{" not in found.fix("dev")


GONE = pod("vllm-qwen3-32b-5d9c7f6b8-x2x4z")
GAVE_UP = {
    "NotTriggerScaleUp": "pod didn't trigger scale-up: 1 max node group size reached",
    "FailedScheduling": "0/3 nodes are available: 1 Insufficient nvidia.com/gpu",
    "BackOff": "Back-off restarting failed container vllm",
}


def told(about: dict[str, Any], reason: str, message: str) -> dict[str, Any]:
    found = event(about, reason, message)
    return found | {"type": "Warning", "metadata": {"namespace": about["metadata"]["namespace"]}}


@pytest.mark.parametrize("reason", GAVE_UP)
def test_an_engine_that_is_at_zero_again_without_having_started_is_named_with_its_reason(reason: str) -> None:
    (found,) = engines.find(seen(events=[told(GONE, reason, GAVE_UP[reason])]))
    assert (found.problem.id, found.where) == ("engine-gave-up", "serving/vllm-qwen3-32b")
    assert f"{reason}: {GAVE_UP[reason]}" in found.detail
    assert f"`{reason}`" in found.fix("prod")
    assert "llmctl models warm MODEL prod" in found.fix("prod")


def test_an_engine_that_runs_or_came_up_or_a_download_has_not_given_up() -> None:
    trouble = told(GONE, "FailedScheduling", GAVE_UP["FailedScheduling"])
    assert not list(engines.find(seen(pods=[GONE], events=[trouble])))
    came_up = told(GONE, "Started", "Started container vllm") | {"type": "Normal", "lastTimestamp": ago(0.5)}
    assert not list(engines.find(seen(events=[trouble, came_up])))
    download = pod("vllm-qwen3-32b-x2x4z")
    assert not list(engines.find(seen(events=[told(download, "BackOff", "no")])))
