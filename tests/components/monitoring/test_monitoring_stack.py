"""Monitoring in the synthesized stack: what comes before what, and what Azure Monitor changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.settings import Settings, load_settings
from tests.support.kubernetes.cilium import Pod, Rules
from tests.support.stacks.synthesis import Synthesized, synthesize


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    plain = load_settings("dev").model_dump()
    alerts = {"receiver": "email", "email_addresses": ["team@example.com"]}
    chosen = plain["monitoring"] | {"metrics": "azure-monitor", "alerts": alerts}
    folder: Path = tmp_path_factory.mktemp("azure-monitor")
    return synthesize(Settings.model_validate(plain | {"monitoring": chosen}), folder)


def test_grafana_finds_its_dashboards_and_prometheus_its_definitions(
    environment: Callable[[str], Synthesized],
) -> None:
    releases = environment("dev").resources("platform", "helm_release")
    assert "helm_release.dashboards" in releases["kube-prometheus-stack"]["depends_on"]
    assert "helm_release.platform-secrets" in releases["kube-prometheus-stack"]["depends_on"]
    assert "helm_release.kube-prometheus-stack" in releases["monitors"]["depends_on"]
    (ingress,) = (
        body
        for body in environment("dev").resources("platform", "kubernetes_ingress_v1").values()
        if body["metadata"]["name"] == "grafana"
    )
    assert ingress["spec"]["rule"][0]["host"] == "grafana.llm-dev.example.com"
    assert ingress["spec"]["tls"][0]["hosts"] == ["grafana.llm-dev.example.com"]


def test_monitoring_goes_on_where_other_pods_make_room(environment: Callable[[str], Synthesized]) -> None:
    (priority,) = environment("dev").resources("platform", "kubernetes_priority_class_v1").values()
    assert priority["value"] == 1_000_000
    values = json.dumps(environment("dev").resources("platform", "helm_release")["kube-prometheus-stack"]["values"])
    assert priority["metadata"]["name"] in values


def test_azures_add_on_is_told_what_to_keep_before_the_monitors_come(azure: Synthesized) -> None:
    maps = azure.resources("platform", "kubernetes_config_map_v1")
    (name,) = (name for name, body in maps.items() if body["metadata"]["name"] == "ama-metrics-settings-configmap")
    assert maps[name]["metadata"]["namespace"] == "kube-system"
    assert "kube_node_spec_taint" in maps[name]["data"]["default-targets-metrics-keep-list"]
    releases = azure.resources("platform", "helm_release")
    assert f"kubernetes_config_map_v1.{name}" in releases["monitors"]["depends_on"]
    assert not azure.resources("platform", "kubernetes_priority_class_v1")
    assert "azmonitoring.coreos.com/v1" in json.dumps(releases["monitors"]["values"])


AZURES_TARGETS = (
    (Pod("cert-manager", {"app.kubernetes.io/component": "controller"}), 9402),
    (Pod("external-secrets", {"app.kubernetes.io/name": "external-secrets"}), 8080),
    (Pod("ingress", {"app.kubernetes.io/name": "nginx-ingress"}), 9113),
    (Pod("gpu", {"app.kubernetes.io/name": "dcgm-exporter"}), 9400),
    (Pod("scaling", {"app.kubernetes.io/component": "interceptor"}), 2223),
    (Pod("gateway", {"app.kubernetes.io/name": "litellm"}), 4001),
    (Pod("opik", {"app.kubernetes.io/name": "oauth2-proxy"}), 44180),
    (Pod("opik", {"clickhouse.altinity.com/chi": "opik-clickhouse"}), 9363),
)


def test_azures_collector_reaches_every_target_and_nobody_else_of_its_namespace_does(azure: Synthesized) -> None:
    rules = Rules(azure.resources("platform", "kubernetes_network_policy_v1"))
    collector = Pod("kube-system", {"rsName": "ama-metrics"})
    for target, port in AZURES_TARGETS:
        assert rules.allow(collector, target, port), target
        assert not rules.allow(Pod("monitoring", {"app.kubernetes.io/name": "prometheus"}), target, port), target
    for target, port in AZURES_TARGETS[1:]:
        assert not rules.allow(Pod("kube-system", {"app": "other"}), target, port), target


def test_monitors_bear_the_limits_that_azure_asks_for(
    azure: Synthesized, environment: Callable[[str], Synthesized]
) -> None:
    limits = json.dumps({"labelLimit": 63, "labelNameLengthLimit": 511, "labelValueLengthLimit": 1023})

    def monitors(synthesized: Synthesized) -> str:
        return json.dumps(synthesized.resources("platform", "helm_release")["monitors"]["values"])

    assert json.dumps(limits)[1:-1].replace(" ", "") in monitors(azure).replace(" ", "")
    assert "labelLimit" not in monitors(environment("dev"))


def test_grafana_asks_the_workspace_that_azure_keeps_the_metrics_in(azure: Synthesized) -> None:
    values = json.dumps(azure.resources("platform", "helm_release")["kube-prometheus-stack"]["values"])
    assert "data.terraform_remote_state.aks-state.outputs.metrics_url" in values
    output = azure.stacks["aks"]["output"]["metrics_url"]["value"]
    assert output.startswith("${azurerm_monitor_workspace.")
    assert output.endswith(".query_endpoint}")
