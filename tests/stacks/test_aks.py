"""The cluster as Azure runs it: network, addons, upgrades, encryption, logs and metrics."""

import pytest

from stacks.common.maintenance import allowed_hours
from stacks.settings.cluster import MaintenanceSettings
from tests.support.stacks.cluster_roles import DISK_KEY, ENVIRONMENTS, roles_of
from tests.support.stacks.disposable import aks_stack, cluster_of, named
from tests.support.stacks.durable import of_type, only


@ENVIRONMENTS
def test_network_is_overlay_with_cilium(environment: str) -> None:
    profile = cluster_of(environment)["network_profile"]
    assert (profile["network_plugin"], profile["network_plugin_mode"]) == ("azure", "overlay")
    assert (profile["network_data_plane"], profile["network_policy"]) == ("cilium", "cilium")
    assert profile["dns_service_ip"] == "10.96.0.10"


@pytest.mark.parametrize(
    ("outbound", "kind"), [("nat-gateway", "userAssignedNATGateway"), ("load-balancer", "loadBalancer")]
)
def test_way_out_is_stated(outbound: str, kind: str) -> None:
    assert cluster_of(network={"outbound": outbound})["network_profile"]["outbound_type"] == kind


def test_the_cluster_goes_out_by_the_address_that_outlives_it() -> None:
    """Other networks let the environment in by that address, whatever sends from it."""
    outbound = "${data.terraform_remote_state.address-state.outputs.outbound_ip_id}"
    profile = cluster_of(network={"outbound": "load-balancer"})["network_profile"]
    assert profile["load_balancer_profile"] == {"outbound_ip_address_ids": [outbound]}
    assert "load_balancer_profile" not in cluster_of(network={"outbound": "nat-gateway"})["network_profile"]


def test_the_right_to_send_from_the_address_is_there_before_the_cluster() -> None:
    needed = cluster_of(network={"outbound": "load-balancer"})["depends_on"]
    assert any("control-plane-roles_outbound" in role for role in needed)


@ENVIRONMENTS
def test_addons_that_the_platform_counts_on_are_on(environment: str) -> None:
    cluster = cluster_of(environment)
    assert cluster["workload_autoscaler_profile"]["keda_enabled"] is True
    assert cluster["azure_policy_enabled"] is True
    assert cluster["image_cleaner_enabled"] is True
    assert cluster["key_vault_secrets_provider"]["secret_rotation_enabled"] is True
    assert cluster["http_application_routing_enabled"] is False


@pytest.mark.parametrize(("version", "channel"), [("1.36", "patch"), ("1.36.3", None)])
def test_patches_come_by_themselves_unless_one_is_pinned(version: str, channel: str | None) -> None:
    cluster = cluster_of(cluster={"kubernetes_version": version})
    assert cluster.get("automatic_upgrade_channel") == channel
    assert cluster["node_os_upgrade_channel"] == "NodeImage"
    assert cluster["default_node_pool"]["orchestrator_version"] == version


def test_nothing_is_upgraded_by_itself_while_the_file_holds_it() -> None:
    cluster = cluster_of(cluster={"kubernetes_version": "1.36", "maintenance": {"held": True}})
    assert cluster.get("automatic_upgrade_channel") is None
    assert cluster["node_os_upgrade_channel"] == "None"


def test_upgrades_keep_to_the_maintenance_window() -> None:
    window = {"day": "Saturday", "start_time": "22:30", "utc_offset": "-05:30", "duration_hours": 4}
    cluster = cluster_of(cluster={"maintenance": window})
    for block in ("maintenance_window_auto_upgrade", "maintenance_window_node_os"):
        assert cluster[block] == {
            "frequency": "Weekly",
            "interval": 1,
            "day_of_week": "Saturday",
            "start_time": "22:30",
            "utc_offset": "-05:30",
            "duration": 4,
        }
    assert cluster["maintenance_window"]["allowed"] == [{"day": "Sunday", "hours": [4, 5, 6, 7]}]


@pytest.mark.parametrize(
    ("day", "start", "offset", "duration", "expected"),
    [
        ("Sunday", "01:00", "+00:00", 6, {"Sunday": [1, 2, 3, 4, 5, 6]}),
        ("Saturday", "22:00", "+00:00", 4, {"Saturday": [22, 23], "Sunday": [0, 1]}),
        ("Sunday", "01:00", "+02:00", 4, {"Saturday": [23], "Sunday": [0, 1, 2]}),
        ("Monday", "01:00", "+00:30", 4, {"Monday": [1, 2, 3]}),
    ],
)
def test_planned_maintenance_is_inside_the_window_in_utc(
    day: str, start: str, offset: str, duration: int, expected: dict[str, list[int]]
) -> None:
    window = MaintenanceSettings.model_validate(
        {"day": day, "start_time": start, "utc_offset": offset, "duration_hours": duration}
    )
    assert allowed_hours(window) == expected


def test_whole_day_window_names_every_hour_once() -> None:
    window = MaintenanceSettings.model_validate({"day": "Saturday", "start_time": "12:00", "duration_hours": 24})
    assert allowed_hours(window) == {"Saturday": list(range(12, 24)), "Sunday": list(range(12))}


def test_hosts_and_disks_are_encrypted_as_the_file_asks() -> None:
    aks = aks_stack(cluster={"host_encryption": True, "disk_encryption_set_id": DISK_KEY})
    cluster = only(aks, "azurerm_kubernetes_cluster")
    assert cluster["disk_encryption_set_id"] == DISK_KEY
    assert cluster["default_node_pool"]["host_encryption_enabled"] is True
    assert all(pool["host_encryption_enabled"] for pool in of_type(aks, "azurerm_kubernetes_cluster_node_pool"))
    assert ("azurerm_user_assigned_identity.control-plane.principal_id", "Reader", DISK_KEY) in roles_of(aks)
    assert any("disk-key" in waits for waits in cluster["depends_on"])


def test_azure_mails_alerts_of_the_database_and_of_backups() -> None:
    aks = aks_stack(monitoring={"alerts": {"email_addresses": ["team@example.com"]}})
    (group,) = of_type(aks, "azurerm_monitor_action_group")
    assert [receiver["email_address"] for receiver in group["email_receiver"]] == ["team@example.com"]
    watched = {alert["criteria"][0]["metric_name"]: alert for alert in of_type(aks, "azurerm_monitor_metric_alert")}
    assert set(watched) == {"storage_percent", "is_db_alive", "BackupHealthEvent"}
    assert all(alert["action"] for alert in watched.values())
    assert watched["storage_percent"]["criteria"][0]["threshold"] == 80
    assert watched["BackupHealthEvent"]["scopes"] == [
        "${data.terraform_remote_state.disks-state.outputs.backup_vault_id}"
    ]


def test_azure_monitor_keeps_the_metrics_and_judges_them_when_asked_to() -> None:
    assert "monitor_metrics" not in only(aks_stack(), "azurerm_kubernetes_cluster")
    aks = aks_stack(monitoring={"metrics": "azure-monitor", "alerts": {"email_addresses": ["team@example.com"]}})
    assert "monitor_metrics" in only(aks, "azurerm_kubernetes_cluster")
    groups = of_type(aks, "azurerm_monitor_alert_prometheus_rule_group")
    assert groups
    for group in groups:
        assert all(rule["action"] for rule in group["rule"])
    assert only(aks, "azurerm_monitor_workspace")
    assert {role for _, role, _ in (found for found in roles_of(aks) if "grafana" in found[0])} == {
        "Monitoring Reader",
        "Monitoring Data Reader",
    }


def test_without_a_gateway_its_addon_is_off() -> None:
    assert "ingress_application_gateway" not in cluster_of()


@ENVIRONMENTS
def test_changes_and_logins_are_logged(environment: str) -> None:
    aks = aks_stack(environment)
    control_plane = named(aks, "azurerm_monitor_diagnostic_setting", "logs_control-plane")
    categories = {log["category"] for log in control_plane["enabled_log"]}
    assert categories >= {"kube-audit-admin", "guard"}
    assert named(aks, "azurerm_monitor_diagnostic_setting", "logs_vault")["enabled_log"] == [{"category": "AuditEvent"}]
    gateways = [name for name in aks["resource"]["azurerm_monitor_diagnostic_setting"] if "gateway" in name]
    assert bool(gateways) is (environment == "prod")


def test_pod_logs_go_to_a_workspace_without_keys() -> None:
    aks = aks_stack(cluster={"log_analytics_retention_days": 90})
    workspace = only(aks, "azurerm_log_analytics_workspace")
    assert (workspace["local_authentication_enabled"], workspace["retention_in_days"]) == (False, 90)
    assert only(aks, "azurerm_kubernetes_cluster")["oms_agent"]["msi_auth_for_monitoring_enabled"] is True
    association = only(aks, "azurerm_monitor_data_collection_rule_association")
    # The agent looks for this name.
    assert association["name"] == "ContainerInsightsExtension"
    assert association["target_resource_id"] == "${azurerm_kubernetes_cluster.cluster.id}"
