"""The synthesized stack `platform` bounds every namespace, orders its releases and holds no credential."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from constructs.cluster_providers import TOKEN_SCRIPT
from constructs.terraform_literal import terraform_literal
from stacks.platform.common.catalogue import HELM, charts, own_chart
from stacks.platform.common.traffic import ANY_NAMESPACE, Direction, Peer, workloads
from stacks.settings import load_settings
from tests.support.stacks.components import namespaces, secret_names
from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]

BOUNDS = {
    "kubernetes_resource_quota_v1": "quota",
    "kubernetes_limit_range_v1": "limits",
    "kubernetes_namespace_v1": "namespace",
}

pytestmark = pytest.mark.parametrize("name", ["dev", "prod"])


def _releases(environment: Environment, name: str) -> dict[str, dict[str, Any]]:
    return environment(name).resources("platform", "helm_release")


def _namespace(release: dict[str, Any]) -> str:
    """Return the construct name of the namespace that a release refers to, without its suffix."""
    reference: str = release["namespace"]
    return reference.removeprefix("${kubernetes_namespace_v1.").partition("-namespace.")[0]


def _ip_blocks(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "ip_block" in node:
            yield node["ip_block"]
        for value in node.values():
            yield from _ip_blocks(value)
    elif isinstance(node, list):
        for item in node:
            yield from _ip_blocks(item)


def test_both_providers_fetch_a_token_with_the_script_in_their_arguments(environment: Environment, name: str) -> None:
    providers = environment(name).stacks["platform"]["provider"]
    (kubernetes,), (helm,) = providers["kubernetes"], providers["helm"]
    for cluster, credential in ((kubernetes, kubernetes["exec"][0]), (helm["kubernetes"], helm["kubernetes"]["exec"])):
        assert set(cluster) == {"host", "cluster_ca_certificate", "exec"}
        assert credential == {
            "api_version": "client.authentication.k8s.io/v1",
            "command": "sh",
            "args": [
                "-c",
                terraform_literal(TOKEN_SCRIPT.read_text()),
                "cluster-token",
                "${data.terraform_remote_state.database-state.outputs.tenant_id}",
            ],
        }


def test_release_is_installed_into_a_namespace_that_is_already_bounded(environment: Environment, name: str) -> None:
    resources = environment(name).stacks["platform"]["resource"]
    releases = _releases(environment, name)
    for release in releases.values():
        namespace = _namespace(release)
        waits_for = set(release["depends_on"])
        operators = [other.removeprefix("helm_release.") for other in waits_for if other.startswith("helm_release.")]
        for operator in operators:
            if _namespace(releases[operator]) == namespace:
                waits_for |= set(releases[operator]["depends_on"])
        assert {f"{kind}.{namespace}-{bound}" for kind, bound in BOUNDS.items()} <= waits_for
        policies = {
            f"kubernetes_network_policy_v1.{policy}"
            for policy, body in resources["kubernetes_network_policy_v1"].items()
            if body["metadata"]["namespace"] == release["namespace"]
        }
        assert len(policies) > 1
        assert policies <= waits_for


def _peer(written: dict[str, Any]) -> Peer:
    """Return the peer of a rule as the traffic rule has it."""
    if "ip_block" in written:
        return Peer(cidr=written["ip_block"]["cidr"])
    labels = written["namespace_selector"].get("match_labels", {})
    assert labels.keys() <= {"kubernetes.io/metadata.name"}
    return Peer(
        namespace=labels.get("kubernetes.io/metadata.name", ANY_NAMESPACE),
        pods=written.get("pod_selector", {}).get("match_labels", {}),
    )


def test_each_flow_is_a_rule_of_its_workloads_policy(environment: Environment, name: str) -> None:
    policies = dict(environment(name).resources("platform", "kubernetes_network_policy_v1"))
    sides = {
        Direction.INGRESS: ("ingress", "from", "Ingress", "allowed-in"),
        Direction.EGRESS: ("egress", "to", "Egress", "allowed-out"),
    }
    for rules in namespaces(load_settings(name)):
        for workload in workloads(rules.traffic):
            policy = policies.pop(f"{rules.name}-{workload.name}-traffic")
            spec, annotations = policy["spec"], policy["metadata"]["annotations"]
            assert policy["metadata"]["name"] == workload.name
            assert spec["pod_selector"].get("match_labels", {}) == workload.pods
            for direction, (block, peers, kind, names) in sides.items():
                flows = workload.towards(direction)
                written = spec.get(block, [])
                assert annotations.get(names, "") == ", ".join(flow.name for flow in flows)
                assert (kind in spec["policy_types"]) == bool(flows)
                assert [[_peer(peer) for peer in rule[peers]] for rule in written] == [[*flow.peers] for flow in flows]
                assert [
                    [(int(port["port"]), port["protocol"]) for port in rule.get("ports", [])] for rule in written
                ] == [[(port.number, port.protocol) for port in flow.ports] for flow in flows]
    assert {key.removesuffix("-deny-all") for key in policies} == {
        rules.name for rules in namespaces(load_settings(name))
    }


def test_nobody_may_ask_for_the_nodes_identity(environment: Environment, name: str) -> None:
    policies = environment(name).resources("platform", "kubernetes_network_policy_v1")
    open_blocks = [block for block in _ip_blocks(policies) if block["cidr"] == "0.0.0.0/0"]
    assert open_blocks
    assert all(block["except"][:2] == ["169.254.169.254/32", "168.63.129.16/32"] for block in open_blocks)


def test_pod_security_means_what_it_meant_in_the_clusters_version(environment: Environment, name: str) -> None:
    minor = ".".join(load_settings(name).cluster.kubernetes_version.split(".")[:2])
    for namespace in environment(name).resources("platform", "kubernetes_namespace_v1").values():
        labels = namespace["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] in {"restricted", "baseline", "privileged"}
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == f"v{minor}"


def test_operator_may_ask_for_tokens_of_the_vault_reader_alone(environment: Environment, name: str) -> None:
    roles = environment(name).resources("platform", "kubernetes_role_v1")
    (rule,) = (rule for role in roles.values() for rule in role["rule"] if "serviceaccounts/token" in rule["resources"])
    assert rule["resource_names"] == ["${kubernetes_service_account_v1.vault-reader.metadata[0].name}"]
    assert rule["verbs"] == ["create"]


def test_custom_resources_follow_their_operator(environment: Environment, name: str) -> None:
    releases = _releases(environment, name)
    assert "helm_release.cert-manager" in releases["platform-issuers"]["depends_on"]
    waits_for = releases["platform-secrets"]["depends_on"]
    assert "helm_release.external-secrets" in waits_for
    assert "kubernetes_role_binding_v1.vault-reader-tokens-binding" in waits_for
    for namespace in secret_names(load_settings(name)):
        assert f"kubernetes_namespace_v1.{namespace}-namespace" in waits_for


def test_no_host_and_no_account_comes_before_what_the_vault_has_kept(environment: Environment, name: str) -> None:
    releases = _releases(environment, name)
    issuers = releases["platform-issuers"]["depends_on"]
    assert ("helm_release.kept-certificates" in issuers) is (name == "prod")
    if name == "prod":
        assert "helm_release.platform-secrets" in releases["kept-certificates"]["depends_on"]
        assert releases["kept-certificates"]["wait_for_jobs"] is True
    ingresses = environment(name).resources("platform", "kubernetes_ingress_v1").values()
    assert ingresses
    assert all("helm_release.platform-issuers" in ingress["depends_on"] for ingress in ingresses)


def test_releases_are_those_that_the_settings_call_for(environment: Environment, name: str) -> None:
    private = {"kept-internal-ca", "private-certificates", "private-dns", "tailscale-operator", "tailscale-router"}
    private |= {"trust-manager", "trusted-roots"}
    optional = {"opik-guardrails", "image-policy", "start-page", "cloud-egress", "egress", "spill-over", *private}
    # Nothing of staging is kept.
    unused = {"dev": {*optional, "kept-certificates"}, "prod": {*optional, "nginx-ingress"}}
    own = {folder.name for folder in HELM.iterdir() if own_chart(folder.name)}
    pools = {model.first_pool for model in load_settings(name).models if model.engine == "ollama"}
    several = {*(f"ollama-{pool}" for pool in pools), "login-sessions", "chat-redis", "gateway-redis"}
    rights = {"cert-controller-rights", "prometheus-operator-rights", "prometheus-rights"}
    several |= rights | ({"ingress-rights"} if name == "dev" else set())
    models = {"dev": {"vllm-qwen2-5-7b"}, "prod": {"vllm-qwen2-5-7b", "vllm-qwen3-32b"}}
    wanted = (set(charts()) | own | several | models[name]) - unused[name] - {"ollama", "rights", "valkey", "vllm"}
    assert set(_releases(environment, name)) == wanted


def test_controllers_are_redundant_where_the_cluster_is(environment: Environment, name: str) -> None:
    redundant = load_settings(name).cluster.tier != "Free"
    for release in ("cert-manager", "external-secrets"):
        variant = (HELM / release / "values.ha.yaml").read_text()
        assert (variant in _releases(environment, name)[release]["values"]) == redundant


def test_people_learn_which_dns_records_the_domain_needs(environment: Environment, name: str) -> None:
    domain = load_settings(name).domain
    records = environment(name).stacks["platform"]["output"]["dns_records"]["value"]
    assert set(records) == {f"{host}.{domain}" for host in ("chat", "opik", "api", "grafana")}
    assert set(records.values()) == {"${data.terraform_remote_state.address-state.outputs.public_fqdn}"}


def test_stack_owns_nothing_in_azure(environment: Environment, name: str) -> None:
    assert "azurerm" not in json.dumps(environment(name).stacks["platform"].get("resource"))
    assert set(environment(name).stacks["platform"]["provider"]) == {"kubernetes", "helm"}


def test_pods_of_jobs_give_up_every_right_and_have_no_token_of_the_api(environment: Environment, name: str) -> None:
    jobs = environment(name).resources("platform", "kubernetes_job_v1")
    assert len(jobs) > 3
    for job in jobs.values():
        pod = job["spec"]["template"]["spec"]
        assert pod["automount_service_account_token"] is False
        assert pod["security_context"]["run_as_non_root"] is True
        assert pod["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}
        assert pod["security_context"]["run_as_user"] not in {"0", ""}
        for container in (*pod["container"], *pod.get("init_container", ())):
            assert container["security_context"] == {
                "allow_privilege_escalation": False,
                "run_as_non_root": True,
                "read_only_root_filesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
