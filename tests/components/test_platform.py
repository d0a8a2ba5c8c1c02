"""Namespaces, traffic rules, external secrets and chart values follow the environment's settings."""

import re
from dataclasses import replace
from typing import Any

import pytest

from stacks.platform.common.catalogue import images
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity
from stacks.platform.common.traffic import ANY_NAMESPACE, ANYWHERE, DNS, Direction, Peer, TrafficRule, workloads
from stacks.platform.components.certificates import release as certificates
from stacks.platform.components.certificates.names import ACCOUNT as CERT_MANAGER
from stacks.platform.components.chat import release as chat
from stacks.platform.components.gpu.nodes import GPU_PRESENT, WHOLE_CARDS, gpu_node_labels, sharing_configs
from stacks.platform.components.gpu.release import dcgm_exporter, nvidia_device_plugin
from stacks.platform.components.ingress.release import nginx_ingress, public_address
from stacks.platform.components.llm_gateway import release as gateway
from stacks.platform.components.monitoring import release as monitoring
from stacks.platform.components.monitoring.grafana import GrafanaAccess
from stacks.platform.components.opik import login, operator, release
from stacks.platform.components.private_dns.release import private_dns
from stacks.platform.components.secrets import release as external_secrets
from stacks.platform.components.secrets.names import VAULT_READER
from stacks.platform.components.serving import ollama, scaling, vllm
from stacks.platform.components.serving.engines import ollama_engines, vllm_engines
from stacks.platform.components.spill_over.release import spill_over
from stacks.platform.components.tailscale import release as tailscale
from stacks.platform.components.trust.release import trust_manager
from stacks.settings import Settings, load_settings
from stacks.settings.cluster import GpuPoolSettings
from stacks.settings.private_access import TailscaleSettings
from stacks.settings.rules.cluster import TESTED_KUBERNETES
from stacks.settings.secrets.names import GeneratedSecret
from tests.support.stacks.components import components_with_images, images_of, namespaces, secret_names, with_images

ACCESS = GrafanaAccess(
    tenant_id="t", login_client_id="c", group_id="g", identity_client_id="i", subscription_id="s", metrics_url=""
)


def _settings(environment: str = "dev", **changes: Any) -> Settings:
    """Return the settings of an environment with some sections changed: `section={field: value}`."""
    settings = load_settings(environment)
    for section, fields in changes.items():
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=fields)})
    return settings


def _namespace(settings: Settings, name: str) -> NamespaceRules:
    return next(rules for rules in namespaces(settings) if rules.name == name)


def _flow(rules: NamespaceRules, name: str) -> TrafficRule:
    return next(flow for flow in rules.traffic if flow.name == name)


def _pool(**fields: Any) -> GpuPoolSettings:
    return GpuPoolSettings(vm_size="Standard_NC4as_T4_v3", **fields)


def test_namespaces_are_those_that_something_runs_in() -> None:
    assert [rules.name for rules in namespaces(_settings("dev", opik={"enabled": False}))] == [
        "cert-manager",
        "external-secrets",
        "ingress",
        "gpu",
        "scaling",
        "monitoring",
        "node-metrics",
        "databases",
        "chat",
        "gateway",
        "serving",
    ]
    assert "ingress" not in {rules.name for rules in namespaces(_settings("prod"))}
    bare = _settings("dev", cluster={"gpu_pools": {}}).model_copy(update={"models": ()})
    assert not {"gpu", "scaling", "serving"} & {rules.name for rules in namespaces(bare)}


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_only_what_reads_the_node_itself_is_privileged(environment: str) -> None:
    for rules in namespaces(_settings(environment)):
        assert (rules.enforced is PodSecurity.PRIVILEGED) == (rules.name in {"gpu", "node-metrics"})
        assert rules.enforced is PodSecurity.PRIVILEGED or rules.reported is PodSecurity.RESTRICTED


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_only_the_front_door_may_have_an_address_outside_the_cluster(environment: str) -> None:
    for rules in namespaces(_settings(environment)):
        assert rules.quota["services.loadbalancers"] == ("1" if rules.name == "ingress" else "0")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_container_without_resources_still_fits_a_quota_on_memory(environment: str) -> None:
    for rules in namespaces(_settings(environment)):
        assert "memory" in rules.container_defaults
        assert "memory" in rules.container_requests


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_namespace_can_resolve_names_and_none_can_ask_for_the_nodes_identity(environment: str) -> None:
    for rules in namespaces(_settings(environment)):
        if rules.name in {"node-metrics", "gpu"}:
            assert not [flow for flow in rules.traffic if flow.direction is Direction.EGRESS]
            continue
        dns = _flow(rules, "allow-dns")
        assert {(port.number, port.protocol) for port in dns.ports} == {(53, "UDP"), (53, "TCP")}
        for flow in rules.traffic:
            for peer in flow.peers:
                assert not (flow.direction is Direction.EGRESS and peer.cidr == ANYWHERE and not flow.ports)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_flow_belongs_to_the_one_workload_of_its_pods(environment: str) -> None:
    for rules in namespaces(_settings(environment)):
        found = workloads(rules.traffic)
        assert sorted(flow.name for workload in found for flow in workload.rules) == sorted(
            flow.name for flow in rules.traffic
        )
        assert len({tuple(sorted(flow.pods.items())) for flow in rules.traffic}) == len(found)
        for workload in found:
            assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", workload.name), workload.name


def test_workloads_that_would_share_a_name_are_refused() -> None:
    label, other = (replace(DNS, pods={key: "worker"}) for key in ("app", "component"))
    assert [workload.name for workload in workloads([label])] == ["worker"]
    with pytest.raises(ValueError, match="different pods of one namespace would share the policy name worker"):
        workloads([label, other])


def test_no_version_with_local_dns_counts_as_tested_while_pods_may_only_ask_the_clusters_own() -> None:
    """AKS switches LocalDNS on from 1.37; the address that pods then ask is their node's."""
    (peer,) = DNS.peers
    assert peer == Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"})
    assert [version for version in TESTED_KUBERNETES if tuple(map(int, version.split("."))) >= (1, 37)] == []


def test_front_door_opens_to_the_allowed_ranges_and_to_pods_that_call_its_address() -> None:
    settings = _settings("dev", ingress={"allowed_source_ranges": ("203.0.113.0/24",)})
    peers = _flow(_namespace(settings, "ingress"), "allow-front-door").peers
    assert peers == (Peer(cidr="203.0.113.0/24"), Peer(namespace=ANY_NAMESPACE))


def test_challenges_come_from_anywhere_whatever_ranges_are_allowed() -> None:
    settings = _settings("dev", ingress={"allowed_source_ranges": ("203.0.113.0/24",)})
    challenges = _flow(_namespace(settings, "ingress"), "allow-challenges")
    # cert-manager asks for its challenge first, from a pod: a range, even this one, matches none.
    assert challenges.peers == (Peer(cidr="0.0.0.0/0"), Peer(namespace="*"))
    assert {port.number for port in challenges.ports} == {80}


def test_front_door_is_open_to_everybody_unless_ranges_are_given() -> None:
    assert _flow(_namespace(_settings("dev"), "ingress"), "allow-front-door").peers[0] == Peer(cidr=ANYWHERE)


def test_challenges_are_reached_from_the_mode_s_own_front_door() -> None:
    challenge = _flow(_namespace(_settings("dev"), "chat"), "allow-challenge")
    assert challenge.peers == (Peer(namespace="ingress"),)
    prod = _settings("prod")
    challenge = _flow(_namespace(prod, "chat"), "allow-challenge")
    assert challenge.peers == (Peer(cidr=str(prod.network.gateway_subnet)),)
    assert challenge.pods == {"acme.cert-manager.io/http01-solver": "true"}


@pytest.mark.parametrize("name", ["cert-manager", "external-secrets"])
def test_kubernetes_reaches_the_webhooks_through_its_tunnel(name: str) -> None:
    webhook = _flow(_namespace(_settings("dev"), name), "allow-webhook")
    assert webhook.peers == (Peer(namespace="kube-system"),)
    assert [port.number for port in webhook.ports] == [10250]


def test_peer_is_either_pods_or_addresses() -> None:
    with pytest.raises(ValueError, match="either pods of a namespace or an address range"):
        Peer()


def test_subjects_are_those_that_entra_has_to_trust() -> None:
    assert VAULT_READER.subject == "system:serviceaccount:external-secrets:vault-reader"
    assert CERT_MANAGER.subject == "system:serviceaccount:cert-manager:cert-manager"


def test_deliveries_go_only_to_namespaces_that_exist() -> None:
    for settings in (_settings("dev"), _settings("prod"), _settings("dev", chat={"enabled": False})):
        assert set(secret_names(settings)) <= {rules.name for rules in namespaces(settings)}
    assert "chat" not in secret_names(_settings("dev", chat={"enabled": False}))


def test_every_generated_secret_is_delivered_but_the_database_administrator_s() -> None:
    delivered = {
        name
        for secrets in secret_names(_settings("dev")).values()
        for keys in secrets.values()
        for name in keys.values()
    }
    missing = {secret.value for secret in GeneratedSecret} - delivered
    vllm = set() if "serving" in secret_names(_settings("dev")) else {GeneratedSecret.VLLM_API_KEY.value}
    # The first is read from the vault by its Job while it runs; the other by the start page, which dev does not have.
    assert missing == vllm | {"database-administrator-password", "start-cookie-secret"}


SHARED = {
    # The gateway calls the engines, and the chat calls the gateway.
    "vllm-api-key": {"serving", "gateway"},
    "gateway-chat-key": {"gateway", "chat"},
    # The Job that makes the databases sets the passwords of their owners.
    "database-chat-password": {"databases", "chat"},
    "database-gateway-password": {"databases", "gateway"},
}
"""Every secret that two namespaces know, and why it has to be so."""


def test_no_namespace_receives_a_secret_of_another() -> None:
    receivers: dict[str, set[str]] = {}
    for namespace, secrets in secret_names(_settings("dev")).items():
        for keys in secrets.values():
            for name in keys.values():
                receivers.setdefault(name, set()).add(namespace)
    assert {name: spaces for name, spaces in receivers.items() if len(spaces) > 1} == SHARED


def test_static_address_is_taken_by_name_from_the_network_s_group() -> None:
    service = nginx_ingress(
        *with_images(_settings("dev")), routes={}, address=public_address("ip", "group"), backends=["chat"]
    )["controller"]
    assert service["service"]["annotations"] == {
        "service.beta.kubernetes.io/azure-pip-name": "ip",
        "service.beta.kubernetes.io/azure-load-balancer-resource-group": "group",
    }


def test_accounts_act_as_the_identity_that_is_handed_over() -> None:
    wired = certificates.cert_manager(images_of(_settings()), client_id="client", tenant_id="tenant")
    assert wired["serviceAccount"]["annotations"] == {
        "azure.workload.identity/client-id": "client",
        "azure.workload.identity/tenant-id": "tenant",
    }


def test_every_pinned_image_is_passed_to_its_chart() -> None:
    settings = _settings("dev", opik={"python_evaluators": True})
    passed = str(
        [
            certificates.cert_manager(images_of(_settings()), client_id="c", tenant_id="t"),
            external_secrets.operator(images_of(settings)),
            nginx_ingress(*with_images(settings), routes={}, address={}, backends=["chat"]),
            tailscale.operator(TailscaleSettings(), images_of(settings)),
            private_dns(settings, images_of(settings)),
            trust_manager(images_of(settings)),
            nvidia_device_plugin(settings.cluster, images_of(settings)),
            dcgm_exporter(images_of(settings)),
            release.opik(*with_images(settings)),
            operator.operator(*with_images(settings)),
            operator.guardrails(images_of(settings), "t4"),
            login.oauth2_proxy(*with_images(settings), client_id="c", group_id="g", tenant_id="t"),
            login.sessions(settings.secrets, images_of(settings)),
            *(
                ollama.ollama(settings.cluster, settings.serving, images_of(settings), engine)
                for engine in ollama_engines(settings.models, settings.cluster)
            ),
            *(
                vllm.vllm(settings.cluster, settings.serving, images_of(settings), engine)
                for engine in vllm_engines(settings.models, settings.cluster)
            ),
            spill_over(*with_images(settings)),
            scaling.keda_http_add_on(settings.serving, images_of(settings)),
            scaling.serving_proxy(*with_images(settings)),
            gateway.litellm(*components_with_images(settings), database_host="h"),
            gateway.limits(*components_with_images(settings)),
            chat.open_webui(*with_images(settings), client_id="c", group_id="g", tenant_id="t"),
            chat.redis(*with_images(settings)),
            monitoring.kube_prometheus_stack(*with_images(settings), ACCESS),
        ]
    )
    for name, image in images().items():
        if name == "databases/postgres":
            continue  # of a Job of its own, without a chart
        forms = (str(image.values())[1:-1], str(image.parts()), str(image), image.parts()["repository"])
        assert any(form in passed for form in forms), name


def test_cards_are_whole_unless_a_pool_shares_them() -> None:
    settings = _settings("dev", cluster={"gpu_pools": {"t4": _pool()}})
    assert sharing_configs(settings.cluster) == {}
    assert "config" not in nvidia_device_plugin(settings.cluster, images_of(settings))
    assert gpu_node_labels(_pool()) == GPU_PRESENT


def test_node_of_a_sharing_pool_finds_its_configuration_and_others_keep_whole_cards() -> None:
    pools = {"t4": _pool(), "shared": _pool(time_slices=4), "more": _pool(time_slices=2)}
    settings = _settings("dev", cluster={"gpu_pools": pools})
    config = nvidia_device_plugin(settings.cluster, images_of(settings))["config"]
    assert config["default"] == WHOLE_CARDS
    assert config["map"][WHOLE_CARDS] == "version: v1\n"
    for pool in (pools["shared"], pools["more"]):
        chosen = config["map"][gpu_node_labels(pool)["nvidia.com/device-plugin.config"]]
        assert f"replicas: {pool.time_slices}}}" in chosen
        assert "failRequestsGreaterThanOne: true" in chosen


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_no_namespace_but_the_ingress_opens_a_port_outside_the_cluster(environment: str) -> None:
    found = {
        rules.name: (rules.quota.get("services.loadbalancers"), rules.quota.get("services.nodeports"))
        for rules in namespaces(_settings(environment))
    }
    ingress = found.pop("ingress", None)
    assert set(found.values()) == {("0", "0")}
    assert ingress in {None, ("1", None)}
