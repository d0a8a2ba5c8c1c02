"""Everything that the platform stack sends to its cluster, sent to a real API: installed, upgraded, changed, destroyed.

The stack is rehearsed first, so that every value is the one that Terraform passes. Kubernetes objects are created as
the provider would, releases by Helm itself. Our own charts always; others with `CHARTS_DIR` or `PULL_CHARTS`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scripts.lab.kube.api import ApiError, Object
from scripts.rehearsal.drive import Rehearsal
from scripts.tiers import DISPOSABLE, DURABLE
from stacks.settings import load_settings
from tests.support import cluster_checks
from tests.support.platform_install import Charts, Platform
from tests.support.platform_steps import Step, steps
from tests.support.real_cluster import Running, helm, running
from tests.support.run_time_objects import challenges, deliver

pytestmark = [pytest.mark.cluster, pytest.mark.rehearsal]
ENVIRONMENTS = ("dev", "prod")


@dataclass
class Proof:
    """One environment: rehearsed, and its platform in a real cluster."""

    rehearsal: Rehearsal
    running: Running
    platform: Platform
    steps: list[Step]
    plain_releases: int = 0


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def proof(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """Return the platform, installed; every test leaves it standing."""
    settings = load_settings(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    rehearsal = Rehearsal(settings, folder / "rehearsal")
    rehearsal.cdktf("deploy", *DURABLE, "--auto-approve")
    rehearsal.cdktf("deploy", *DISPOSABLE, "--auto-approve")
    with running(folder, settings) as alive:
        stack = rehearsal.workspace.stacks()["platform"].folder
        platform = Platform(alive.api, helm(alive, folder), Charts(stack, folder))
        platform.on_release = lambda address: _operate(platform, address)
        found = Proof(rehearsal, alive, platform, steps(rehearsal))
        platform.install(found.steps)
        yield found


def _operate(platform: Platform, address: str) -> None:
    """Do what operators would do after a release."""
    if address == "helm_release.platform-secrets":
        deliver(platform.api)


def test_every_resource_of_the_stack_is_in_the_cluster(proof: Proof) -> None:
    sent = {step.address for step in proof.steps} - {f"helm_release.{name}" for name in proof.platform.left_out}
    assert sent == set(proof.platform.sent) | set(proof.platform.releases)
    for item in proof.platform.sent.values():
        proof.platform.api.get(item)


def test_pods_run_workloads_are_complete_and_claims_are_bound(proof: Proof) -> None:
    api = proof.platform.api
    settled = {"metadata": {"namespace": "default"}}
    proof.platform.wait(lambda: not list(cluster_checks.unsettled(api)), _list(cluster_checks.unsettled(api)), settled)
    assert list(cluster_checks.unsettled(api)) == []


def _list(problems: Iterator[str]) -> str:
    return "; ".join(problems)


def test_no_pod_was_refused(proof: Proof) -> None:
    refused = [event for event in _warnings(proof) if event["reason"] == "FailedCreate"]
    assert [event["message"] for event in refused] == []


def _warnings(proof: Proof) -> list[Object]:
    return [event for event in proof.platform.api.list("v1", "Event") if event["type"] == "Warning"]


def test_pods_find_every_secret_key_claim_and_account_that_they_name(proof: Proof) -> None:
    assert list(cluster_checks.dangling(proof.platform.api)) == []


def test_services_ingresses_and_monitors_name_ports_that_are_open(proof: Proof) -> None:
    assert list(cluster_checks.doors(proof.platform.api)) == []


def test_budgets_and_scalers_name_workloads_that_exist(proof: Proof) -> None:
    assert list(cluster_checks.idle(proof.platform.api)) == []


def test_terraform_would_find_what_it_sent(proof: Proof) -> None:
    api = proof.platform.api
    found = {address: list(cluster_checks.drift(item, api.get(item))) for address, item in proof.platform.sent.items()}
    assert {address: differences for address, differences in found.items() if differences} == {}


def test_what_proves_a_domain_is_let_in(proof: Proof) -> None:
    for service, pod in challenges(proof.platform.api):
        assert service["spec"]["type"] == "ClusterIP"
        proof.platform.wait(lambda pod=pod: _ready(proof, pod), f"{pod['metadata']['name']} never runs", pod)  # type: ignore[misc]
        for item in (service, pod):
            proof.platform.api.delete(item)


def _ready(proof: Proof, pod: Object) -> bool:
    conditions = proof.platform.api.get({"apiVersion": "v1", "kind": "Pod"} | pod)["status"].get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def test_a_second_upgrade_changes_nothing(proof: Proof) -> None:
    before = cluster_checks.fingerprint(proof.platform.api)
    proof.platform.upgrade_all()
    assert cluster_checks.fingerprint(proof.platform.api) == before


def test_nothing_that_a_release_brings_belongs_to_somebody_else(proof: Proof) -> None:
    owners: dict[tuple[str, str, str], list[str]] = {}
    for address, item in proof.platform.sent.items():
        owners.setdefault(_identity(item, ""), []).append(address)
    for address, release in proof.platform.releases.items():
        for item in proof.platform.helm.manifest(release["namespace"], release["name"]):
            owners.setdefault(_identity(item, release["namespace"]), []).append(address)
    assert {item: found for item, found in owners.items() if len(found) > 1} == {}


def _identity(item: Object, namespace: str) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", namespace), item["metadata"]["name"]


def test_at_their_most_workloads_fit_their_quotas_and_nodes(proof: Proof) -> None:
    api = proof.platform.api
    before = [(_scaled(scaler), api.get(_scaled(scaler))["spec"]["replicas"]) for scaler in cluster_checks.scalers(api)]
    try:
        for scaler in cluster_checks.scalers(api):
            spec = scaler["spec"]
            _scale(api, _scaled(scaler), spec.get("maxReplicas") or spec["maxReplicaCount"])
        everything = {"metadata": {"namespace": "default"}}
        proof.platform.wait(lambda: not list(cluster_checks.unsettled(api)), "not all pods come up", everything)
    except Exception as error:
        raise AssertionError(f"{error}: {_list(cluster_checks.unsettled(api))}") from None
    finally:
        for target, replicas in before:
            _scale(api, target, replicas)


def _scaled(scaler: Object) -> Object:
    target = scaler["spec"]["scaleTargetRef"]
    metadata = {"name": target["name"], "namespace": scaler["metadata"]["namespace"]}
    return {"apiVersion": "apps/v1", "kind": target.get("kind", "Deployment"), "metadata": metadata}


def _scale(api: object, target: Object, replicas: int) -> None:
    from scripts.lab.kube.api import Api

    assert isinstance(api, Api)
    api.patch(target, {"spec": {"replicas": replicas}}, subresource="scale")


def test_destroy_leaves_no_namespace_and_no_release(proof: Proof) -> None:
    platform = proof.platform
    kept = proof.platform.helm.revisions()
    assert len(kept) == len(platform.releases)
    platform.remove(proof.steps)
    assert platform.helm.revisions() == {}
    spaces = {item["metadata"]["name"] for item in platform.api.list("v1", "Namespace")}
    assert spaces == {"default", "kube-system", "kube-public", "kube-node-lease"}
    with pytest.raises(ApiError):
        platform.api.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "chat"}})
