"""Everything that the platform stack sends to its cluster, sent to a real API: installed, upgraded, changed, destroyed.

The stack is rehearsed first, so that every value is the one that Terraform passes. Kubernetes objects are created as
the provider would, releases by Helm itself. Our own charts always; others with `CHARTS_DIR` or `PULL_CHARTS`.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from scripts.lab.kube.api import Api, ApiError, Object
from tests.support.cli.edited_environment import EditedEnvironment
from tests.support.cluster import checks as cluster_checks
from tests.support.cluster.install import WAIT_S, Charts, Platform
from tests.support.cluster.real_cluster import helm, running
from tests.support.cluster.run_time_objects import deliver, make
from tests.support.cluster.steps import Step, steps
from tests.support.rehearsal.deployed import deployed_once

pytestmark = [pytest.mark.cluster, pytest.mark.rehearsal]
ENVIRONMENTS = ("dev", "prod")


@dataclass
class Proof:
    """One environment: rehearsed, and its platform in a real cluster."""

    edited: EditedEnvironment
    platform: Platform
    steps: list[Step]
    seconds: float
    """What the installation took."""

    def deploy(self, *stacks: str) -> dict[str, str]:
        """Deploy stacks in the rehearsal, and in the cluster what became of the platform; return what changed."""
        self.edited.synthesize()
        run = self.edited.rehearsal.rollout(*stacks)
        run.may_go_back = lambda *_: True  # an image gets another version, which is an older one
        assert run.apply(stacks, any_loss=True)
        old, self.steps = self.steps, steps(self.edited.rehearsal)
        return self.platform.change(old, self.steps)


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def proof(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, deployed_environments: Path
) -> Iterator[Proof]:
    """Return the platform, installed; every test leaves it standing."""
    folder = tmp_path_factory.mktemp(request.param)
    edited = EditedEnvironment(request.param, folder)
    edited.synthesize()
    deployed_once(edited.rehearsal, deployed_environments)
    with running(folder, edited.rehearsal.settings) as alive:
        stack = edited.rehearsal.workspace.stacks()["platform"].folder
        platform = Platform(alive.api, helm(alive, folder), Charts(stack, folder))
        platform.on_release = partial(_operate, platform)
        wanted, started = steps(edited.rehearsal), time.monotonic()
        platform.install(wanted)
        yield Proof(edited, platform, wanted, time.monotonic() - started)


def _operate(platform: Platform, address: str) -> None:
    """Do what operators would do after a release."""
    if address in {"helm_release.platform-secrets", "helm_release.kept-certificates"}:
        deliver(platform.api)


def test_every_resource_of_the_stack_is_in_the_cluster(proof: Proof) -> None:
    sent = {step.address for step in proof.steps if step.type_name.startswith(("kubernetes_", "helm_"))}
    sent -= {f"helm_release.{name}" for name in proof.platform.left_out}
    assert sent == set(proof.platform.sent) | set(proof.platform.releases)
    for item in proof.platform.sent.values():
        proof.platform.api.get(item)


def test_pods_run_workloads_are_complete_and_claims_are_bound(proof: Proof) -> None:
    assert _settled(proof) == []


def _settled(proof: Proof) -> list[str]:
    """Wait until everything is as it should be; return what is not in the end."""
    until = time.monotonic() + WAIT_S
    while (found := list(cluster_checks.unsettled(proof.platform.api))) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def test_no_pod_was_refused(proof: Proof) -> None:
    refused = [event for event in _warnings(proof) if event["reason"] == "FailedCreate"]
    assert [event["message"] for event in refused] == []


def _warnings(proof: Proof) -> list[Object]:
    return [event for event in proof.platform.api.list("v1", "Event") if event["type"] == "Warning"]


def test_pods_find_every_secret_key_claim_and_account_that_they_name(proof: Proof) -> None:
    assert list(cluster_checks.dangling(proof.platform.api)) == []


def test_services_ingresses_and_monitors_name_ports_that_are_open(proof: Proof) -> None:
    assert _told(proof, cluster_checks.doors(proof.platform.api)) == []


def test_budgets_and_scalers_name_workloads_that_exist(proof: Proof) -> None:
    assert _told(proof, cluster_checks.idle(proof.platform.api)) == []


def _told(proof: Proof, problems: Iterable[str]) -> list[str]:
    """Return the problems; not that something is missing which a chart would bring that is not at hand."""
    missing = ("is not in", "does not exist") if proof.platform.left_out else ()
    return [problem for problem in problems if not any(word in problem for word in missing)]


READS_EVERY_SECRET = {
    "cert-manager": "writes certificates into the namespaces of Ingresses, and watches all",
    "cert-manager-cainjector": "puts authorities into webhooks out of Secrets anywhere",
    "external-secrets": "writes every Secret that it copies out of the vault",
}


def test_nobody_else_can_read_the_database_administrators_secret(proof: Proof) -> None:
    api = proof.platform.api
    pods = ((namespace, template["spec"]) for _, namespace, template in cluster_checks.templates(api))
    accounts = {(namespace, pod.get("serviceAccountName", "default")) for namespace, pod in pods}
    reading = {
        name
        for namespace, name in accounts
        if _may_list(api.acting_as(f"system:serviceaccount:{namespace}:{name}"), "Secret", "databases")
    }
    assert reading <= set(READS_EVERY_SECRET)


def _may_list(api: Api, kind: str, namespace: str) -> bool:
    try:
        api.list("v1", kind, namespace)
    except ApiError as error:
        if error.reason != "Forbidden":
            raise
        return False
    return True


def test_what_a_narrowed_controller_asks_for_is_allowed(proof: Proof) -> None:
    if "kube-prometheus-stack" in proof.platform.left_out:
        return
    operator = proof.platform.api.acting_as("system:serviceaccount:monitoring:prometheus-operator")
    for kind in ("Secret", "ConfigMap"):
        operator.list("v1", kind, "monitoring")
    operator.list("monitoring.coreos.com/v1", "ServiceMonitor", "node-metrics")
    prometheus = proof.platform.api.acting_as("system:serviceaccount:monitoring:prometheus-prometheus")
    prometheus.list("v1", "Pod")
    if "ingress/ingress-rights" in proof.platform.helm.revisions():
        controller = proof.platform.api.acting_as("system:serviceaccount:ingress:ingress-controller")
        for namespace in ("ingress", "chat", "gateway", "monitoring", "opik"):
            for kind in ("Service", "Pod", *(["Secret"] if namespace != "ingress" else ["ConfigMap"])):
                controller.list("v1", kind, namespace)
            controller.list("networking.k8s.io/v1", "Ingress", namespace)
            controller.list("discovery.k8s.io/v1", "EndpointSlice", namespace)
        assert not _may_list(controller, "Secret", "ingress")


def test_terraform_would_find_what_it_sent(proof: Proof) -> None:
    api = proof.platform.api
    found = {address: list(cluster_checks.drift(item, api.get(item))) for address, item in proof.platform.sent.items()}
    assert {address: differences for address, differences in found.items() if differences} == {}


def test_what_controllers_make_at_run_time_is_let_in_and_runs(proof: Proof) -> None:
    made = []
    try:
        for item in make(proof.platform.api):
            made.append(item)
            if item["kind"] == "Pod":
                proof.platform.wait(partial(_ready, proof, item), f"{item['metadata']['name']} never runs", item)
    finally:
        for item in made:
            proof.platform.api.delete(item)
    assert {item["metadata"]["namespace"] for item in made} >= {"chat", "gateway", "monitoring", "opik"}


def _ready(proof: Proof, pod: Object) -> bool:
    conditions = proof.platform.api.get(pod)["status"].get("conditions") or []
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
    standing = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in _workloads(api)}
    scalers = [item for item in cluster_checks.scalers(api) if _target(item) in standing]
    assert scalers
    before = [(_scaled(scaler), api.get(_scaled(scaler))["spec"]["replicas"]) for scaler in scalers]
    try:
        for scaler in scalers:
            spec = scaler["spec"]
            _scale(api, _scaled(scaler), spec.get("maxReplicas") or spec["maxReplicaCount"])
        assert _settled(proof) == []
    finally:
        for target, replicas in before:
            _scale(api, target, replicas)


def _workloads(api: Api) -> list[Object]:
    return [item for kind in cluster_checks.WORKLOADS["apps/v1"] for item in api.list("apps/v1", kind)]


def _target(scaler: Object) -> tuple[str, str]:
    return scaler["metadata"]["namespace"], scaler["spec"]["scaleTargetRef"]["name"]


def _scaled(scaler: Object) -> Object:
    target = scaler["spec"]["scaleTargetRef"]
    metadata = {"name": target["name"], "namespace": scaler["metadata"]["namespace"]}
    return {"apiVersion": "apps/v1", "kind": target.get("kind", "Deployment"), "metadata": metadata}


def _scale(api: Api, target: Object, replicas: int) -> None:
    api.patch(target, {"spec": {"replicas": replicas}}, subresource="scale")


def test_no_release_sends_a_field_that_the_api_does_not_know(proof: Proof) -> None:
    releases = [step for step in proof.steps if step.address in proof.platform.releases]
    assert [text for step in releases for text in proof.platform.unknown_fields(step)] == []


def test_our_own_charts_read_every_value(proof: Proof) -> None:
    own = [step for step in proof.steps if step.type_name == "helm_release" and step.release_of is None]
    found = {step.name: set(proof.platform.dead_values(step)) for step in own}
    known = {step.name: set(filter(WITHOUT_EFFECT.fullmatch, found[step.name])) for step in own}
    assert {name: dead - known[name] for name, dead in found.items() if dead - known[name]} == {}


WITHOUT_EFFECT = re.compile(
    r"userSecrets|engines\.[^.]+\.engine|versions\.(database-administrator-password|start-cookie-secret)"
)
"""Read, but any other text does the same: secrets that are delivered nowhere here, engines other than Ollama, and the
versions of two secrets that no chart delivers here: a Job reads one in the vault, the other is the start page's, which
is off."""


TINY = {
    "name": "tiny",
    "engine": "ollama",
    "id": "qwen2.5:0.5b",
    "pool": "t4",
    "quantization": "q4",
    "weights_gib": 0.4,
    "kv_cache_kib_per_token": 12,
}


def _pods_by_namespace(proof: Proof) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pod in proof.platform.api.list("v1", "Pod"):
        if not any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or []):
            found.setdefault(pod["metadata"]["namespace"], set()).add(pod["metadata"]["uid"])
    return found


def _changed(proof: Proof, *stacks: str) -> tuple[dict[str, str], set[str]]:
    """Deploy; return what changed, and the namespaces in which other pods run now. Everything is checked again."""
    before = _pods_by_namespace(proof)
    done = proof.deploy(*stacks)
    assert _settled(proof) == []
    assert list(cluster_checks.dangling(proof.platform.api)) == []
    assert _told(proof, cluster_checks.doors(proof.platform.api)) == []
    after = _pods_by_namespace(proof)
    return done, {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _add_model(edited: EditedEnvironment) -> None:
    edited.edit(lambda content: content["models"].append(TINY))


def _change_image(edited: EditedEnvironment) -> None:
    edited.tag("valkey/server", "0.0.1")


def _more_replicas(edited: EditedEnvironment) -> None:
    edited.edit(lambda content: content.setdefault("gateway", {}).update({"replicas": 3, "max_replicas": 4}))


def _rotate(edited: EditedEnvironment) -> None:
    edited.edit(lambda content: content.setdefault("secrets", {}).update(versions={"gateway-redis-password": 2}))


@dataclass(frozen=True)
class Change:
    """One edit, and what a deployment of it may touch."""

    edit: Callable[[EditedEnvironment], None]
    done: Mapping[str, str]
    """Address to what has to be done with it."""
    restarted: frozenset[str]
    """Namespaces in which other pods run afterwards."""
    perhaps: frozenset[str] = frozenset()
    """Namespaces in which they may."""
    stacks: frozenset[str] = frozenset({"platform"})
    releases: frozenset[str] = frozenset()
    """Releases beside those of `done` that may change; none where any may."""


CHANGES = {
    "a model is added": Change(
        _add_model, {"helm_release.litellm": "change"}, frozenset(), frozenset({"gateway", "serving", "chat"})
    ),
    "an image": Change(
        _change_image,
        {},
        frozenset({"chat", "gateway", "opik"}),
        releases=frozenset(f"helm_release.{name}" for name in ("chat-redis", "gateway-redis", "login-sessions")),
    ),
    "replicas": Change(_more_replicas, {"helm_release.litellm": "change"}, frozenset({"gateway"})),
    "the version of a secret": Change(
        _rotate,
        {"helm_release.platform-secrets": "change", "kubernetes_job_v1.gateway-secrets": "replace"},
        frozenset({"gateway"}),
        stacks=frozenset({"database", "platform"}),
    ),
}


def test_a_change_restarts_what_reads_it_and_touches_nothing_else(proof: Proof) -> None:
    """Each by itself in dev; all with one deployment in prod."""
    together = [{name: change} for name, change in CHANGES.items()] if proof.edited.name == "dev" else [CHANGES]
    for changes in together:
        title, made = ", ".join(changes), changes.values()
        for change in made:
            change.edit(proof.edited)
        done, restarted = _changed(proof, *sorted(_all(change.stacks for change in made)))
        for change in made:
            assert change.done.items() <= done.items(), title
        least = _all(change.restarted for change in made)
        assert least <= restarted <= least | _all(change.perhaps for change in made), title
        if all(change.releases for change in made):
            touched = {address for address in done if address.startswith("helm_release.")}
            assert touched <= _all(change.releases for change in made), title
        if "a model is added" in changes:
            pulls = [address for address, action in done.items() if "pull-qwen2-5-0-5b-" in address and action == "add"]
            assert pulls, title
            if len(changes) == 1:
                assert [address for address, action in done.items() if action in {"replace", "remove"}] == []


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def test_destroy_leaves_nothing_and_everything_can_be_deployed_again(proof: Proof) -> None:
    platform = proof.platform
    assert len(platform.helm.revisions()) == len(platform.releases)
    left_out = list(platform.left_out)
    platform.remove(proof.steps)
    assert platform.helm.revisions() == {}
    spaces = {item["metadata"]["name"] for item in platform.api.list("v1", "Namespace")}
    assert spaces == {"default", "kube-system", "kube-public", "kube-node-lease"}
    kept = [item["metadata"]["name"] for item in platform.api.list("v1", "PersistentVolume")]
    assert kept == []
    platform.left_out.clear()
    platform.install(proof.steps)
    assert set(platform.left_out) == set(left_out)
    assert _settled(proof) == []
