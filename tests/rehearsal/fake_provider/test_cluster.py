"""The fake clusters, directory and random values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.cluster_service import merged_values
from scripts.lab.rehearsal.fake_provider.passwords import password
from scripts.lab.rehearsal.fake_provider.protocol.server import service_of
from scripts.lab.rehearsal.fake_provider.service import RefusedError
from tests.support.rehearsal.fake_providers import LOCATION, Provider, body, provider

NAMESPACE = {"metadata": {"name": "serving"}}
RELEASE: dict[str, Any] = {
    "name": "ollama",
    "chart": "./charts/ollama",
    "namespace": "serving",
    "values": ["a: 1\nb: {c: 2}"],
}


@pytest.fixture
def kubernetes(tmp_path: Path) -> Provider:
    return provider("kubernetes", tmp_path, "platform")


@pytest.fixture
def helm(tmp_path: Path) -> Provider:
    return provider("helm", tmp_path, "platform")


def test_objects_need_their_namespace_and_go_with_it(kubernetes: Provider) -> None:
    account = {"metadata": {"name": "pods", "namespace": "serving"}}
    answer = kubernetes.apply("kubernetes_service_account_v1", **account)
    assert answer.problems == [("", 'namespaces "serving" not found')]
    namespace = kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    state = kubernetes.create("kubernetes_service_account_v1", **account)
    assert state["id"] == "serving/pods"
    kubernetes.delete("kubernetes_namespace_v1", namespace)
    assert kubernetes.read("kubernetes_service_account_v1", state) is None


def test_a_name_is_free_once_per_kind_and_namespace(kubernetes: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    assert kubernetes.apply("kubernetes_namespace_v1", **NAMESPACE).problems == [
        ("", 'namespaces "serving" already exists')
    ]
    kubernetes.create("kubernetes_persistent_volume_v1", metadata={"name": "serving"})


def test_an_imported_release_tells_no_values_so_that_the_next_plan_upgrades_it(
    kubernetes: Provider, helm: Provider
) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    made = helm.create("helm_release", **RELEASE)
    assert helm.read("helm_release", made) == made
    imported = helm.fake.import_state("helm_release", "serving/ollama").state
    assert imported == {**made, "values": None, "repository": None}
    assert helm.read("helm_release", imported) == imported
    planned = helm.plan("helm_release", imported, **RELEASE)
    assert planned.replaced_by == []
    assert planned.state["values"] == RELEASE["values"]


def test_a_release_name_is_free_once_per_namespace(kubernetes: Provider, helm: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    helm.create("helm_release", **RELEASE)
    assert helm.apply("helm_release", **RELEASE).problems == [("", "cannot re-use a name that is still in use")]
    helm.create("helm_release", **RELEASE | {"namespace": "default"})


def test_a_release_reports_its_merged_values_anew_with_each_change(kubernetes: Provider, helm: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    layers = [*RELEASE["values"], '{"b": {"d": [3]}}']
    state = helm.create("helm_release", **RELEASE | {"values": layers})
    assert json.loads(state["metadata"]["values"]) == {"a": 1, "b": {"c": 2, "d": [3]}}
    assert state["metadata"]["chart"] == "ollama"
    changed = helm.apply("helm_release", state, **RELEASE | {"values": ["a: 2"]}).state
    assert json.loads(changed["metadata"]["values"]) == {"a": 2}


def test_a_release_of_an_archive_has_the_chart_s_own_name_and_version(kubernetes: Provider, helm: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    first, second = (
        f"./charts/altinity-clickhouse-operator-{version}-{'a1' * 6}.tgz" for version in ("0.27.1", "0.28.0-rc.1")
    )
    state = helm.create("helm_release", **RELEASE | {"chart": first})
    assert (state["version"], state["metadata"]["version"]) == ("0.27.1", "0.27.1")
    assert state["metadata"]["chart"] == "altinity-clickhouse-operator"
    changed = helm.apply("helm_release", state, **RELEASE | {"chart": second}).state
    assert (changed["version"], changed["metadata"]["version"]) == ("0.28.0-rc.1", "0.28.0-rc.1")


@pytest.mark.parametrize("document", ["a: [1", "- a list", "just text"])
def test_values_that_are_no_mapping_are_refused(document: str) -> None:
    with pytest.raises(RefusedError, match="Failed to parse values"):
        merged_values([document])


def test_a_cluster_that_is_gone_takes_its_objects_along_and_cannot_be_reached(tmp_path: Path) -> None:
    azure = provider("azurerm", tmp_path, "aks")
    kubernetes = provider("kubernetes", tmp_path, "platform")
    azure.create("azurerm_resource_group", name="one", location=LOCATION)
    arguments: dict[str, Any] = {
        "name": "main",
        "location": LOCATION,
        "resource_group_name": "one",
        "dns_prefix": "main",
        "default_node_pool": {"name": "system", "vm_size": "Standard_D4s_v5"},
    }
    cluster = azure.create("azurerm_kubernetes_cluster", **arguments)
    kubernetes.fake.configure({"host": cluster["kube_config"][0]["host"]})
    namespace = kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    assert kubernetes.read("kubernetes_namespace_v1", namespace) == namespace
    azure.delete("azurerm_kubernetes_cluster", cluster)
    assert kubernetes.cloud.objects("kubernetes_namespace_v1") == []
    answer = kubernetes.fake.read("kubernetes_namespace_v1", namespace)
    assert answer.state == namespace
    assert "no such host" in answer.problems[0][1]
    again = azure.create("azurerm_kubernetes_cluster", **arguments)
    assert again["fqdn"] != cluster["fqdn"]
    kubernetes.fake.configure({"host": again["kube_config"][0]["host"]})
    assert kubernetes.read("kubernetes_namespace_v1", namespace) is None


def test_directory_objects_may_share_a_name_and_are_found_by_it(tmp_path: Path) -> None:
    entra = provider("azuread", tmp_path, "identity")
    first, second = (entra.create("azuread_group", display_name="users", security_enabled=True) for _ in range(2))
    assert first["id"] == f"/groups/{first['object_id']}"
    assert first["object_id"] != second["object_id"]
    found = service_of("azuread", entra.cloud).read_data("azuread_group", {"display_name": "users"})
    assert found == first


def test_an_application_has_one_service_principal(tmp_path: Path) -> None:
    entra = provider("azuread", tmp_path, "identity")
    application = entra.create("azuread_application", display_name="llm")
    principal = entra.create("azuread_service_principal", client_id=application["client_id"])
    assert principal["object_id"] != application["object_id"]
    assert entra.apply("azuread_service_principal", client_id=application["client_id"]).problems


def test_passwords_are_random_and_as_asked_for(tmp_path: Path) -> None:
    random = provider("random", tmp_path, "database")
    config = body("ephemeral", "random_password", length=40, special=False, min_numeric=5)
    first, second = (random.fake.open("random_password", config).state["result"] for _ in range(2))
    assert first != second
    assert len(first) == 40
    assert first.isalnum()
    assert sum(letter.isdigit() for letter in first) >= 5
    assert random.cloud.secret_values() == {first, second}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"length": 0}, "at least 1"),
        ({"length": 3, "min_upper": 2, "min_lower": 2}, "sum of"),
        ({"length": 8, "upper": False, "lower": False, "numeric": False, "special": False}, "At least one"),
    ],
)
def test_a_password_that_cannot_be_made_is_refused(arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(RefusedError, match=word):
        password(arguments)


def _job(context: dict[str, Any] | None, pod_context: dict[str, Any] | None = None) -> dict[str, Any]:
    container = {"name": "wait", "image": "busybox"} | ({"security_context": context} if context is not None else {})
    pod = {"container": container} | ({"security_context": pod_context} if pod_context is not None else {})
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    return {"metadata": {"name": "wait", "namespace": "serving"}, "spec": {"template": template}}


ADMITTED = {"run_as_non_root": True, "allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}}
REFUSED = 'Waiting for job completion: serving/wait has no pods: forbidden: violates PodSecurity "restricted:latest": '
NON_ROOT = 'runAsNonRoot != true (container "wait" must not set securityContext.runAsNonRoot=false)'
ESCALATION = (
    'allowPrivilegeEscalation != false (container "wait" must set securityContext.allowPrivilegeEscalation=false)'
)
CAPABILITIES = 'unrestricted capabilities (container "wait" must set securityContext.capabilities.drop=["ALL"])'


@pytest.mark.parametrize(
    ("context", "refused"),
    [
        (ADMITTED, ""),
        # The provider sends false for what is left out, which overrules the pod's true.
        ({key: value for key, value in ADMITTED.items() if key != "run_as_non_root"}, NON_ROOT),
        ({key: value for key, value in ADMITTED.items() if key != "allow_privilege_escalation"}, ESCALATION),
        ({key: value for key, value in ADMITTED.items() if key != "capabilities"}, CAPABILITIES),
        # Without a context nothing is sent, and the pod's own counts.
        (None, f"{ESCALATION}, {CAPABILITIES}"),
    ],
)
def test_a_restricted_namespace_sees_the_zeros_that_the_provider_sends(
    kubernetes: Provider, context: dict[str, Any] | None, refused: str
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubernetes.create("kubernetes_namespace_v1", metadata={"name": "serving", "labels": labels})
    answer = kubernetes.apply("kubernetes_job_v1", **_job(context, {"run_as_non_root": True}))
    assert answer.problems == ([("", REFUSED + refused)] if refused else [])


def test_a_namespace_without_a_level_admits_every_pod(kubernetes: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    kubernetes.create("kubernetes_job_v1", **_job({"privileged": True}))


def test_a_baseline_namespace_refuses_privileged_pods(kubernetes: Provider) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    kubernetes.create("kubernetes_namespace_v1", metadata={"name": "serving", "labels": labels})
    answer = kubernetes.apply("kubernetes_job_v1", **_job({"privileged": True}))
    assert answer.problems[0][1].endswith(
        'violates PodSecurity "baseline:latest": privileged (container "wait" must not set'
        " securityContext.privileged=true)"
    )


def test_the_account_that_a_namespace_gets_is_called_default(kubernetes: Provider) -> None:
    kubernetes.create("kubernetes_namespace_v1", **NAMESPACE)
    account = {"metadata": {"namespace": "serving"}, "automount_service_account_token": False}
    assert kubernetes.create("kubernetes_default_service_account_v1", **account)["id"] == "serving/default"
