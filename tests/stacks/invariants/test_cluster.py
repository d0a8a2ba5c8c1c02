"""The cluster, its node pools, namespaces and releases."""

import re

import pytest

from tests.support.stacks.resources import ENVIRONMENTS, NODE_POOLS, Environment, cluster_of, of_kind
from tests.support.stacks.synthesis import Synthesized

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


def test_cluster_issues_identities_to_workloads(environment: Environment, name: str) -> None:
    cluster = cluster_of(environment(name))
    assert cluster["oidc_issuer_enabled"] is True
    assert cluster["workload_identity_enabled"] is True


def test_system_pool_takes_critical_addons_only(environment: Environment, name: str) -> None:
    assert cluster_of(environment(name))["default_node_pool"]["only_critical_addons_enabled"] is True


def test_gpu_pools_are_tainted_labelled_and_scale_from_zero(environment: Environment, name: str) -> None:
    gpu_pools = {a: p for a, p in of_kind(environment(name), *NODE_POOLS).items() if p.get("gpu_driver")}
    assert gpu_pools
    for pool in gpu_pools.values():
        assert "sku=gpu:NoSchedule" in pool["node_taints"]
        assert pool["node_labels"]["nvidia.com/gpu.present"] == "true"
        assert pool["min_count"] == 0


def test_spot_pools_state_their_label_and_taint(environment: Environment, name: str) -> None:
    spot = [p for p in of_kind(environment(name), *NODE_POOLS).values() if p.get("priority") == "Spot"]
    assert spot
    for pool in spot:
        assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in pool["node_taints"]
        assert pool["node_labels"]["kubernetes.azure.com/scalesetpriority"] == "spot"
        assert pool["eviction_policy"] == "Delete"


def test_no_change_of_a_pool_replaces_the_cluster_or_fights_the_autoscaler(environment: Environment, name: str) -> None:
    cluster = cluster_of(environment(name))
    assert cluster["default_node_pool"]["temporary_name_for_rotation"]
    assert "default_node_pool[0].node_count" in cluster["lifecycle"]["ignore_changes"]
    for pool in of_kind(environment(name), *NODE_POOLS).values():
        assert pool["temporary_name_for_rotation"]
        assert "node_count" in pool["lifecycle"]["ignore_changes"]
        assert pool["auto_scaling_enabled"] is True


def test_every_namespace_has_a_pod_security_level(environment: Environment, name: str) -> None:
    namespaces = environment(name).resources("platform", "kubernetes_namespace_v1")
    assert namespaces
    for namespace in namespaces.values():
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] in {
            "restricted",
            "baseline",
            "privileged",
        }


def test_every_namespace_denies_traffic_that_is_not_allowed(environment: Environment, name: str) -> None:
    namespaces = {
        namespace["metadata"]["name"]
        for namespace in environment(name).resources("platform", "kubernetes_namespace_v1").values()
    }
    denied = {
        _literal(environment(name), policy["metadata"]["namespace"])
        for policy in environment(name).resources("platform", "kubernetes_network_policy_v1").values()
        if policy["spec"].get("pod_selector") == {} and set(policy["spec"]["policy_types"]) == {"Ingress", "Egress"}
    }
    assert namespaces <= denied


def test_every_release_is_pinned_waits_and_keeps_a_short_history(environment: Environment, name: str) -> None:
    releases = environment(name).resources("platform", "helm_release")
    assert releases
    for release in releases.values():
        local = release["chart"].startswith(("assets/", "${path.module}", "./"))
        assert local or re.fullmatch(r"v?\d+\.\d+\.\d+", release["version"])
        assert 1 <= release["max_history"] <= 10
        assert release.get("wait", True) is True


def _literal(synthesized: Synthesized, text: str) -> str:
    """Return the name behind a reference to a namespace, or the text itself."""
    reference = re.fullmatch(r"\$\{kubernetes_namespace_v1\.([\w-]+)\.metadata\[?\.?0\]?\.name\}", text)
    if not reference:
        return text
    namespaces = synthesized.resources("platform", "kubernetes_namespace_v1")
    return str(namespaces[reference.group(1)]["metadata"]["name"])
