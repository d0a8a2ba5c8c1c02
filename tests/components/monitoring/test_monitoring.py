"""What is scraped is reached and selected, what dashboards and alerts ask for exists, and who is told."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, images, values_files
from stacks.platform.common.namespaces import PodSecurity
from stacks.platform.common.traffic import MONITORING, Direction, TrafficRule
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.monitoring import receivers, release
from stacks.platform.components.monitoring.alerts import alerts
from stacks.platform.components.monitoring.grafana import GrafanaAccess
from stacks.platform.components.monitoring.shown import alert_files, dashboard_files
from stacks.settings import Settings, load_settings
from tests.support.monitoring.promql import grouped_labels, made_labels, matched_labels, metrics
from tests.support.stacks.components import namespaces, secret_names, secret_templates, with_images

RULES = sorted((HELM / "monitors" / "rules").glob("*.yaml"))
CASES = Path(__file__).parent / "alerts" / "cases.yaml"
DASHBOARDS = sorted((HELM / "dashboards" / "files").glob("*.json"))
LISTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(HELM / "monitors" / "metrics.yaml")
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
ACCESS = GrafanaAccess(
    tenant_id="tenant",
    login_client_id="login",
    group_id="group",
    identity_client_id="identity",
    subscription_id="subscription",
    metrics_url="https://metrics",
)


def _settings(name: str = "dev", **monitoring: object) -> Settings:
    plain = load_settings(name).model_dump()
    return Settings.model_validate(plain | {"monitoring": plain["monitoring"] | monitoring})


def _emitted() -> set[str]:
    plain = {metric for exporter in LISTED.values() for metric in exporter["metrics"]}
    histograms = {name for exporter in LISTED.values() for name in exporter.get("histograms", ())}
    return plain | {f"{name}{part}" for name in histograms for part in HISTOGRAM_PARTS}


def _panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def _asked(file: Path) -> set[str]:
    """Return the metrics that a dashboard asks for, in panels and in its variables."""
    dashboard = json.loads(file.read_text("utf-8"))
    found: set[str] = set()
    for panel in _panels(dashboard):
        for target in panel.get("targets", ()):
            if "azureMonitor" in target:
                found.add(target["azureMonitor"]["metricName"])
            else:
                found |= metrics(target["expr"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            (metric,) = re.findall(r"^label_values\(([\w:]+), \w+\)$", variable["query"]["query"])
            found.add(metric)
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('sum by (le, a) (rate(http_total{code=~"5..", b!="x{y}"}[5m])) / up > 0.5', {"http_total", "up"}),
        ('label_replace(a:b, "node", "$1", "host", "(.*)") unless on (node) max(c_d)', {"a:b", "c_d"}),
        ("x offset 5m and on (a, b) group_left () y or vector(0)", {"x", "y"}),
        ("histogram_quantile(0.95, z_bucket) * 1e3 == bool 2", {"z_bucket"}),
    ],
)
def test_metrics_are_found_in_an_expression(expression: str, expected: set[str]) -> None:
    assert metrics(expression) - {"5m"} == expected


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_metric_of_a_dashboard_is_one_that_a_pinned_exporter_emits(file: Path) -> None:
    asked = _asked(file)
    assert asked
    assert asked - _emitted() == set()


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_asks_data_sources_that_grafana_has(file: Path) -> None:
    dashboard = json.loads(file.read_text("utf-8"))
    stack = release.kube_prometheus_stack(*with_images(load_settings("dev")), ACCESS)
    there = {
        source["uid"]: source["type"] for source in stack["grafana"]["datasources"]["datasources.yaml"]["datasources"]
    }
    panels = [panel for panel in _panels(dashboard) if panel["type"] != "row"]
    asked = {(target["datasource"]["uid"], target["datasource"]["type"]) for p in panels for target in p["targets"]}
    assert asked
    assert asked <= set(there.items())
    assert len({panel["id"] for panel in _panels(dashboard)}) == len(list(_panels(dashboard)))
    assert dashboard["uid"].startswith("platform-")


def test_people_begin_at_a_dashboard_that_is_shown() -> None:
    fixed = YAML(typ="safe").load(values_files(release.RELEASE)[0])["grafana"]
    home = fixed["grafana.ini"]["dashboards"]["default_home_dashboard_path"]
    (folder,) = (
        provider["options"]["path"]
        for provider in fixed["dashboardProviders"]["dashboardproviders.yaml"]["providers"]
        if provider["name"] == "platform"
    )
    assert home in {f"{folder}/{name}.json" for name in dashboard_files(enabled_components(load_settings("dev")))}


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_metric_of_an_alert_is_one_that_a_pinned_exporter_emits(file: Path) -> None:
    for group in YAML(typ="safe").load(file)["groups"]:
        for rule in group["rules"]:
            assert metrics(rule["expr"])
            assert metrics(rule["expr"]) - _emitted() == set(), rule["alert"]


OF_TARGETS = {"job", "instance", "namespace", "pod", "container", "endpoint", "node"}
"""Labels that a PodMonitor of ours gives; the chart's own monitors give `service` and `metrics_path` besides."""


def _labels(metric: str) -> set[str]:
    """Return the labels that Prometheus has of a metric, as `metrics.yaml` lists them."""
    name = metric if metric in _plain() else re.sub("_(bucket|sum|count)$", "", metric)
    (listed,) = (entry for entry in LISTED.values() if name in (*entry["metrics"], *entry.get("histograms", ())))
    own = {*listed["label_names"]["all"], *listed["label_names"].get(name, ())}
    if metric.endswith("_bucket"):
        own.add("le")
    if listed.get("honored"):
        return own | OF_TARGETS
    return {f"exported_{label}" if label in OF_TARGETS else label for label in own} | OF_TARGETS


def _plain() -> set[str]:
    return {metric for entry in LISTED.values() for metric in entry["metrics"]}


def _without_labels(expression: str, shown: set[str]) -> set[str]:
    """Return the labels that a query matches, groups by or shows, although none of its metrics has them."""
    there = {label for metric in metrics(expression) for label in _labels(metric)}
    matched = {f"{metric}.{label}" for metric, label in matched_labels(expression) if label not in _labels(metric)}
    return matched | grouped_labels(expression) - there | shown - there - made_labels(expression)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_label_of_an_alert_is_one_that_the_pinned_exporter_writes(file: Path) -> None:
    for group in YAML(typ="safe").load(file)["groups"]:
        for rule in group["rules"]:
            shown = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule.get("annotations", {}))))
            assert _without_labels(rule["expr"], shown) == set(), rule["alert"]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_label_of_a_dashboard_is_one_that_the_pinned_exporter_writes(file: Path) -> None:
    dashboard = json.loads(file.read_text("utf-8"))
    for panel in _panels(dashboard):
        for target in panel.get("targets", ()):
            if "expr" in target:
                shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")))
                assert _without_labels(target["expr"], shown) == set(), panel["title"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            ((metric, label),) = re.findall(r"^label_values\(([\w:]+), (\w+)\)$", variable["query"]["query"])
            assert label in _labels(metric)


def test_a_label_that_no_exporter_writes_is_found_wherever_it_stands() -> None:
    for expression, label in (
        ('DCGM_FI_DEV_GPU_UTIL{hostname="a"}', "DCGM_FI_DEV_GPU_UTIL.hostname"),
        ("sum by (hostname) (DCGM_FI_DEV_GPU_UTIL)", "hostname"),
        ('label_replace(DCGM_FI_DEV_GPU_UTIL, "node", "$1", "hostname", "(.*)")', "hostname"),
        (
            'certmanager_certificate_ready_status{exported_name="a"}',
            "certmanager_certificate_ready_status.exported_name",
        ),
        ("kube_node_info unless on (host) DCGM_FI_DEV_GPU_UTIL", "host"),
    ):
        assert _without_labels(expression, set()) == {label}
    assert _without_labels("DCGM_FI_DEV_GPU_UTIL", {"hostname", "Hostname"}) == {"hostname"}
    assert not _without_labels("certmanager_certificate_ready_status", {"exported_namespace", "namespace"})


def test_the_list_of_metrics_was_read_at_the_pinned_versions() -> None:
    """Who raises a pin reads the exporter again, then writes the new version here."""
    for exporter, listed in LISTED.items():
        assert listed["source"].startswith("https://"), exporter
        if pinned := listed.get("pinned"):
            assert images()[pinned["image"]].tag == pinned["tag"], exporter


def test_nothing_is_listed_that_nobody_asks_for() -> None:
    rules = (rule for file in RULES for group in YAML(typ="safe").load(file)["groups"] for rule in group["rules"])
    asked = {metric for rule in rules for metric in metrics(rule["expr"])}
    asked |= {metric for file in DASHBOARDS for metric in _asked(file)}
    used = asked | {metric.removesuffix(part) for metric in asked for part in HISTOGRAM_PARTS}
    listed = {name for exporter in LISTED.values() for name in (*exporter["metrics"], *exporter.get("histograms", ()))}
    assert listed - used == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
@pytest.mark.parametrize("arguments", [["check", "rules", *map(str, RULES)], ["test", "rules", str(CASES)]])
def test_prometheus_judges_situations_as_told(arguments: list[str]) -> None:
    result = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_goes_wrong_most_often_raises_an_alert(name: str) -> None:
    raised = {alert.name for group in alerts(enabled_components(load_settings(name))) for alert in group.alerts}
    assert raised >= {
        "GpuMemoryFull",
        "QueueLong",
        "CertificateExpires",
        "DiskFull",
        "NodeDiskFull",
        "SpotNodeEvicted",
        "PodRestarts",
    }


def test_alerts_and_dashboards_are_about_what_the_environment_has() -> None:
    everything = load_settings("dev")
    assert {file.stem for file in RULES} == set(alert_files(enabled_components(everything)))
    assert {file.stem for file in DASHBOARDS} == set(dashboard_files(enabled_components(everything)))
    plain = everything.model_dump()
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
