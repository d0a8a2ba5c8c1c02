"""No chart renders an object that something else makes: Helm refuses to take over what it did not install.

Own charts are rendered always, third parties' where `CHARTS_DIR` names them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import own_chart
from stacks.settings import load_settings
from tests.support.kubernetes import third_party
from tests.support.stacks.components import secret_names
from tests.support.stacks.synthesis import Synthesized

HELM = shutil.which("helm")
pytestmark = pytest.mark.skipif(HELM is None, reason="helm is not on PATH")

Name = tuple[str, str, str]
"""Kind, namespace and name."""
DELIVERERS = {"platform-secrets"}
"""Its objects are what delivers; the Secrets that come of them are told by the deliveries."""
CLUSTER_WIDE = {
    "ClusterRole", "ClusterRoleBinding", "ClusterIssuer", "ClusterSecretStore", "IngressClass", "Namespace",
    "CustomResourceDefinition", "StorageClass", "PersistentVolume", "PriorityClass",
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
}  # fmt: skip
TYPES = {
    "kubernetes_config_map_v1": "ConfigMap",
    "kubernetes_job_v1": "Job",
    "kubernetes_ingress_v1": "Ingress",
    "kubernetes_default_service_account_v1": "ServiceAccount",
    "kubernetes_limit_range_v1": "LimitRange",
    "kubernetes_priority_class_v1": "PriorityClass",
    "kubernetes_namespace_v1": "Namespace",
    "kubernetes_network_policy_v1": "NetworkPolicy",
    "kubernetes_persistent_volume_claim_v1": "PersistentVolumeClaim",
    "kubernetes_persistent_volume_v1": "PersistentVolume",
    "kubernetes_resource_quota_v1": "ResourceQuota",
    "kubernetes_role_v1": "Role",
    "kubernetes_role_binding_v1": "RoleBinding",
    "kubernetes_service_account_v1": "ServiceAccount",
    "kubernetes_storage_class_v1": "StorageClass",
}


def _plain(text: str) -> str:
    """Return JSON text with every expression of Terraform replaced by a word."""
    found, position = "", 0
    while (start := text.find("${", position)) >= 0:
        end, depth = start + 2, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inside = text[start:end].startswith("${jsonencode(")
        found += text[position:start] + ('"token"' if inside else "token")
        position = end
    return found + text[position:]


def _namespace(synthesized: Synthesized, expression: str) -> str:
    """Return the name behind `${kubernetes_namespace_v1.ID.metadata[0].name}`."""
    if not expression.startswith("${kubernetes_namespace_v1."):
        return expression
    block = synthesized.resources("platform", "kubernetes_namespace_v1")[expression.split(".")[1]]
    name: str = block["metadata"]["name"]
    return name


def _made_by_terraform(synthesized: Synthesized) -> Iterator[Name]:
    kinds = synthesized.stacks["platform"]["resource"]
    assert {kind for kind in kinds if kind.startswith("kubernetes_")} <= set(TYPES)
    for terraform_type, kind in TYPES.items():
        for body in kinds.get(terraform_type, {}).values():
            place = _namespace(synthesized, body["metadata"].get("namespace", ""))
            yield kind, place, body["metadata"].get("name", "default")


def _rendered(synthesized: Synthesized, folder: Path) -> Iterator[tuple[str, Name]]:
    for name, release in synthesized.resources("platform", "helm_release").items():
        source = own_chart(_chart_of(name))
        if name in DELIVERERS or not (source or third_party.FOLDER or os.environ.get("PULL_CHARTS")):
            continue
        arguments = [str(source)] if source else third_party.chart(_chart_of(name), folder)
        for index, text in enumerate(release["values"]):
            file = folder / f"{name}-{index}.yaml"
            file.write_text(_plain(text) if index == len(release["values"]) - 1 else text.replace("$${", "${"))
            arguments += ["--values", str(file)]
        place = _namespace(synthesized, release["namespace"])
        command = [str(HELM), "template", release["name"], *arguments, "--namespace", place, "--kube-version"]
        shown = subprocess.run([*command, third_party.KUBERNETES], capture_output=True, text=True, check=False)
        assert shown.returncode == 0, (name, shown.stderr)
        documents = [document for document in YAML(typ="safe").load_all(shown.stdout) if document]
        for item in (one for document in documents for one in document.get("items") or [document]):
            # A hook is made anew by Helm itself.
            if "helm.sh/hook" not in (item["metadata"].get("annotations") or {}):
                yield name, _name(item, place)


def _chart_of(release: str) -> str:
    if release.startswith(("ollama-", "vllm-")):
        return release.partition("-")[0]
    return "valkey" if release in {"chat-redis", "gateway-redis", "login-sessions"} else release


def _name(item: dict[str, Any], place: str) -> Name:
    metadata = item["metadata"]
    return item["kind"], "" if item["kind"] in CLUSTER_WIDE else metadata.get("namespace", place), metadata["name"]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_no_chart_renders_what_something_else_makes(
    name: str, environment: Callable[[str], Synthesized], tmp_path: Path
) -> None:
    synthesized = environment(name)
    settings = load_settings(name)
    others: dict[Name, str] = dict.fromkeys(_made_by_terraform(synthesized), "Terraform")
    for place, secrets in secret_names(settings).items():
        others |= {("Secret", place, secret): "a delivery" for secret in secrets}
    rendered = 0
    clashes = []
    for release, one in _rendered(synthesized, tmp_path):
        rendered += 1
        if one in others:
            clashes.append(f"{release} renders {' '.join(one)}, which {others[one]} makes")
        others[one] = f"the release {release}"
    assert clashes == []
    assert rendered > 20


def test_expressions_of_terraform_are_words_where_charts_are_rendered() -> None:
    text = '{"a": ${jsonencode({"b" = "${x.y}"})}, "c": "https://${data.z.w}/"}'
    assert json.loads(_plain(text)) == {"a": "token", "c": "https://token/"}
