"""What is scraped is reached and selected, what dashboards and alerts ask for exists, and who gets alerts."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import values_files
from stacks.platform.common.namespaces import PodSecurity
from stacks.platform.common.traffic import MONITORING, Direction, TrafficRule
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.monitoring import receivers, release
from stacks.platform.components.monitoring.alerts import alerts
from stacks.platform.components.monitoring.shown import alert_files, dashboard_files
from stacks.settings import Settings, load_settings
from stacks.settings.network import IngressMode
from tests.support.monitoring.files import ACCESS, DASHBOARDS, LISTED, RULES
from tests.support.stacks.components import namespaces, secret_names, secret_templates, with_images


def _settings(name: str = "dev", **monitoring: object) -> Settings:
    plain = load_settings(name).model_dump()
    return Settings.model_validate(plain | {"monitoring": plain["monitoring"] | monitoring})


def test_alerts_and_dashboards_are_about_what_the_environment_has() -> None:
    plain = load_settings("dev").model_dump()
    everything = Settings.model_validate(plain | {"backups": plain["backups"] | {"scheduled": True}})
    assert {file.stem for file in RULES} == set(alert_files(enabled_components(everything)))
    assert {file.stem for file in DASHBOARDS} == set(dashboard_files(enabled_components(everything)))
    plain = everything.model_dump()
    assert "backups" not in alert_files(enabled_components(load_settings("dev")))
    less = Settings.model_validate(
        plain
        | {"models": (), "opik": {"enabled": False}, "gateway": {"enabled": False}, "chat": {"enabled": False}}
        | {"cluster": plain["cluster"] | {"gpu_pools": {}}}
    )
    assert set(alert_files(enabled_components(less))) == {"platform"}
    assert set(dashboard_files(enabled_components(less))) == {"overview", "postgresql"}


def _lets(flow: TrafficRule, direction: Direction, namespace: str, port: int, pods: Mapping[str, str]) -> bool:
    return (
        flow.direction is direction
        and any(peer.namespace == namespace for peer in flow.peers)
        and port in {found.number for found in flow.ports}
        and flow.pods.items() <= pods.items()
    )


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_prometheus_reaches_every_target(name: str) -> None:
    settings = load_settings(name)
    flows = {rules.name: rules.traffic for rules in namespaces(settings)}
    prometheus = {"app.kubernetes.io/name": "prometheus"}
    assert enabled_components(settings).targets()
    for target in enabled_components(settings).targets():
        out, into, there = Direction.EGRESS, Direction.INGRESS, flows[target.namespace]
        assert any(_lets(f, out, target.namespace, target.number, prometheus) for f in flows[MONITORING]), target.name
        assert any(_lets(f, into, MONITORING, target.number, target.labels) for f in there), target.name


def test_kubelets_are_reached_although_no_address_range_matches_a_node() -> None:
    (rules,) = (rules for rules in namespaces(load_settings("dev")) if rules.name == MONITORING)
    (flow,) = (flow for flow in rules.traffic if flow.name == "scrape-kubelets")
    assert (flow.direction, flow.peers, [port.number for port in flow.ports]) == (Direction.EGRESS, (), [10250])


def test_only_the_node_exporters_may_mount_the_node() -> None:
    levels = {rules.name: rules.enforced for rules in namespaces(load_settings("dev"))}
    assert levels[MONITORING] is PodSecurity.RESTRICTED
    assert levels["node-metrics"] is PodSecurity.PRIVILEGED
    fixed = YAML(typ="safe").load(values_files(release.RELEASE)[0])
    assert fixed["prometheus-node-exporter"]["namespaceOverride"] == "node-metrics"


def test_monitors_and_rules_are_selected_whatever_their_labels() -> None:
    """The default drops all that do not bear the release's label, and says nothing."""
    spec = YAML(typ="safe").load(values_files(release.RELEASE)[0])["prometheus"]["prometheusSpec"]
    for kind in ("serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"):
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False, kind


def test_what_aks_runs_out_of_reach_is_not_scraped_and_raises_no_alerts() -> None:
    fixed = YAML(typ="safe").load(values_files(release.RELEASE)[0])
    for part in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy"):
        assert fixed[part] == {"enabled": False}
    rules = fixed["defaultRules"]["rules"]
    assert not any(rules[name] for name in ("etcd", "kubeControllerManager", "kubeProxy", "kubeSchedulerAlerting"))


def test_definitions_are_upgraded_with_the_chart() -> None:
    assert YAML(typ="safe").load(values_files(release.RELEASE)[0])["crds"]["upgradeJob"]["enabled"] is True


def test_nobody_reads_every_secret_of_the_cluster() -> None:
    collectors = YAML(typ="safe").load(values_files(release.RELEASE)[0])["kube-state-metrics"]["collectors"]
    assert not {"secrets", "configmaps"} & set(collectors)


def test_prometheus_drops_metrics_before_its_disk_is_full() -> None:
    spec = release.kube_prometheus_stack(*with_images(_settings(prometheus_disk_gib=10)), ACCESS)["prometheus"][
        "prometheusSpec"
    ]
    kept = int(spec["retentionSize"].removesuffix("MiB"))
    asked = spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
    assert asked == "10Gi"
    assert kept == 10 * 1024 * 0.9


def test_grafana_logs_people_in_by_group_and_without_a_secret() -> None:
    grafana = release.kube_prometheus_stack(*with_images(load_settings("dev")), ACCESS)["grafana"]
    environment = grafana["env"]
    assert environment["GF_AUTH_AZUREAD_ALLOWED_GROUPS"] == "group"
    assert environment["GF_AUTH_AZUREAD_ALLOWED_ORGANIZATIONS"] == "tenant"
    assert environment["GF_SERVER_ROOT_URL"] == "https://grafana.llm-dev.example.com/"
    fixed = YAML(typ="safe").load(values_files(release.RELEASE)[0])["grafana"]
    login = fixed["grafana.ini"]["auth.azuread"]
    assert login["client_authentication"] == "workload_identity"
    assert "client_secret" not in json.dumps([fixed, grafana])
    assert fixed["rbac"]["create"] is False
    assert fixed["automountServiceAccountToken"] is False


def test_grafana_logs_no_address_that_a_caller_claims() -> None:
    dev, prod = (load_settings(name) for name in ("dev", "prod"))
    behind = {settings.ingress.mode: settings for settings in (dev, prod)}
    filters = {
        mode: release.kube_prometheus_stack(*with_images(settings), ACCESS)["grafana"]["env"].get("GF_LOG_FILTERS")
        for mode, settings in behind.items()
    }
    assert filters == {IngressMode.NGINX: None, IngressMode.APPLICATION_GATEWAY: "context:error"}


@pytest.mark.parametrize(("everyone", "strict"), [(True, "false"), (False, "true")])
def test_dashboards_can_be_kept_for_administrators(everyone: bool, strict: str) -> None:
    values = release.kube_prometheus_stack(*with_images(_settings(dashboards_for_everyone=everyone)), ACCESS)
    assert values["grafana"]["env"]["GF_AUTH_AZUREAD_ROLE_ATTRIBUTE_STRICT"] == strict


def test_without_a_receiver_nothing_is_sent() -> None:
    config = receivers.alertmanager_config(load_settings("dev").monitoring.alerts)
    assert config["route"]["receiver"] == "none"
    assert config["receivers"] == [{"name": "none"}]
    assert "alert-receiver" not in secret_names(load_settings("dev"))[MONITORING]


SMTP = {"host": "mail.example.com", "sender": "alerts@example.com", "username": "alerts"}


@pytest.mark.parametrize(
    ("chosen", "secret"),
    [
        ({"receiver": "webhook"}, "alert-webhook-url"),
        ({"receiver": "teams"}, "alert-webhook-url"),
        ({"receiver": "email", "email_addresses": ["team@example.com"], "smtp": SMTP}, "alert-smtp-password"),
    ],
)
def test_secret_of_a_receiver_is_a_file_of_the_vaults_secret(chosen: dict[str, Any], secret: str) -> None:
    settings = _settings(alerts=chosen)
    config = receivers.alertmanager_config(settings.monitoring.alerts)
    assert config["route"]["receiver"] == "people"
    assert receivers.SECRET_FILE in json.dumps(config)
    assert secret_names(settings)[MONITORING]["alert-receiver"] == {"value": secret}
    spec = release.kube_prometheus_stack(*with_images(settings), ACCESS)["alertmanager"]["alertmanagerSpec"]
    assert spec["secrets"] == ["alert-receiver"]


def test_mail_gets_out_of_the_namespace() -> None:
    settings = _settings(alerts={"receiver": "email", "email_addresses": ["team@example.com"], "smtp": SMTP})
    (rules,) = (rules for rules in namespaces(settings) if rules.name == MONITORING)
    (flow,) = (flow for flow in rules.traffic if flow.name == "alerts-by-mail")
    assert [port.number for port in flow.ports] == [587]


def test_critical_alerts_hold_back_only_the_warning_about_the_same_thing() -> None:
    names = {alert.name for group in alerts(enabled_components(load_settings("dev"))) for alert in group.alerts}
    for rule in receivers.alertmanager_config(load_settings("dev").monitoring.alerts)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            assert matcher.removeprefix("alertname = ") in names
        assert rule["equal"]


def test_admin_is_delivered_with_its_name() -> None:
    settings = load_settings("dev")
    keys = secret_names(settings)[MONITORING]["grafana-secrets"]
    assert keys["admin-password"] == "grafana-admin-password"
    assert secret_templates(settings, database_host="host")[MONITORING]["grafana-secrets"] == {"admin-user": "admin"}


def test_azure_monitor_takes_the_place_of_prometheus() -> None:
    settings = _settings(metrics="azure-monitor")
    assert release.variants(settings.monitoring.metrics, ("ha",)) == ("azure-monitor",)
    values = release.kube_prometheus_stack(*with_images(settings), ACCESS)
    assert set(values) == {"grafana"}
    sources = values["grafana"]["datasources"]["datasources.yaml"]["datasources"]
    assert {source["uid"]: source["type"] for source in sources} == {
        "prometheus": "grafana-azureprometheus-datasource",
        "azure-monitor": "grafana-azure-monitor-datasource",
    }
    monitors = release.monitors(enabled_components(settings))
    assert monitors["apiVersion"] == "azmonitoring.coreos.com/v1"
    assert monitors["rules"] == []
    installed = {
        variant: YAML(typ="safe").load(values_files(release.RELEASE, variant)[-1])["grafana"]["env"]
        for variant in ((), ("azure-monitor",))
    }
    assert installed[()]["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert installed[("azure-monitor",)]["GF_PLUGINS_PREINSTALL_DISABLED"] == "false", "or its data source is missing"
    assert "node-metrics" not in {rules.name for rules in namespaces(settings)}


def test_dashboards_that_need_the_charts_own_rules_are_not_shown_where_azure_records_none() -> None:
    base, azure = (
        YAML(typ="safe").load(values_files(release.RELEASE, variant)[-1])["grafana"]
        for variant in ((), ("azure-monitor",))
    )
    assert {mount["name"] for mount in base["extraConfigmapMounts"]} >= {"k8s-resources-cluster"}
    assert azure["extraConfigmapMounts"] == []
    assert azure["defaultDashboardsEnabled"] is False
    (provider,) = azure["dashboardProviders"]["dashboardproviders.yaml"]["providers"]
    assert provider == base["dashboardProviders"]["dashboardproviders.yaml"]["providers"][0]


def test_azures_add_on_keeps_every_metric_of_kubernetes_that_is_asked_for() -> None:
    kept = release.azure_keep_list()
    for exporter in ("kubelet", "cadvisor", "kube-state-metrics", "node-exporter"):
        for metric in LISTED[exporter]["metrics"]:
            assert metric in kept


def test_azure_takes_the_alerts_as_it_wants_them() -> None:
    for group in alerts(enabled_components(load_settings("dev"))):
        assert len(group.alerts) <= 20, "Azure's limit of a rule group"
        for alert in group.alerts:
            assert re.fullmatch(r"PT\d+[MH]", alert.iso_duration)
            assert alert.azure_severity in {1, 2, 3}


def test_without_monitoring_nothing_of_it_is_there() -> None:
    settings = _settings(enabled=False)
    assert MONITORING not in {rules.name for rules in namespaces(settings)}
    assert MONITORING not in secret_names(settings)
