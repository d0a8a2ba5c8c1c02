"""What separates services in a private environment: namespaces, accounts, Pod Security levels and rules."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, parse_settings
from tests.support.kubernetes.deployed import deployed
from tests.support.stacks.synthesis import Synthesized

FILE = Path(__file__).parents[1] / "environments" / "valid.private_with_tailscale.yaml"
LEVELS = {"tailscale": "privileged", "gpu": "privileged", "node-metrics": "privileged", "opik": "baseline"}
"""Namespaces that enforce less: the router's pods turn forwarding on, exporters read the nodes, ClickHouse's program
asks for capabilities by its file."""


@pytest.fixture(scope="module")
def settings() -> Settings:
    return parse_settings(FILE.read_text("utf-8"), FILE.name)


@pytest.fixture(scope="module")
def private(settings: Settings, synthesized_settings: Callable[[Settings], Synthesized]) -> Synthesized:
    return synthesized_settings(settings)


def _by_namespace(private: Synthesized, kind: str) -> dict[str, list[dict[str, Any]]]:
    names = {
        f"${{kubernetes_namespace_v1.{key}.metadata[0].name}}": body["metadata"]["name"]
        for key, body in private.resources("platform", "kubernetes_namespace_v1").items()
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for body in private.resources("platform", kind).values():
        place = body["metadata"]["namespace"]
        found.setdefault(names.get(place, place), []).append(body)
    return found


def test_no_two_components_share_a_namespace(settings: Settings) -> None:
    owners: dict[str, list[str]] = {}
    for component in enabled_components(settings):
        for rules in component.namespaces(enabled_components(settings)):
            owners.setdefault(rules.name, []).append(component.name)
    assert {name: owned for name, owned in owners.items() if len(owned) > 1} == {}
    assert {"chat", "gateway", "opik", "ingress", "private-dns", "tailscale", "cert-manager"} <= set(owners)


def test_every_namespace_enforces_a_pod_security_level_a_quota_and_rules(private: Synthesized) -> None:
    policies = _by_namespace(private, "kubernetes_network_policy_v1")
    quotas = _by_namespace(private, "kubernetes_resource_quota_v1")
    namespaces = private.resources("platform", "kubernetes_namespace_v1").values()
    assert len(list(namespaces)) > 8
    for namespace in namespaces:
        name, labels = namespace["metadata"]["name"], namespace["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == LEVELS.get(name, "restricted"), name
        assert quotas[name], name
        closed = [policy["spec"] for policy in policies[name] if not {"ingress", "egress"} & set(policy["spec"])]
        assert {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]} in closed, name


def _pods(private: Synthesized, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for stands in deployed(private, folder):
        for item in stands.objects:
            spec = item.get("spec") or {}
            job: dict[str, Any] = (spec.get("jobTemplate") or {}).get("spec") or spec
            template = job.get("template") or {}
            if "containers" in (template.get("spec") or {}):
                yield item["metadata"]["name"], template["spec"]


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on PATH; the CI set brings it")
def test_every_pod_has_an_account_of_its_own_or_none_at_all(private: Synthesized, tmp_path: Path) -> None:
    """A pod that names no account is nobody: no token is mounted into it."""
    seen = dict(_pods(private, tmp_path))
    assert {"private-dns", "litellm", "chat-redis", "login-sessions"} <= set(seen)
    nobody = {name: spec for name, spec in seen.items() if spec.get("serviceAccountName") in (None, "default")}
    assert [name for name, spec in nobody.items() if spec.get("automountServiceAccountToken") is not False] == []
