"""The cluster is closed, keeps its rights narrow, and no setting of a pool replaces it."""

import pytest

from stacks.common.maintenance import allowed_hours
from stacks.settings.cluster import MaintenanceSettings
from tests.support.stacks.disposable import GATEWAY_MODE, NAT_MODE, aks_stack, cluster_of, named
from tests.support.stacks.durable import Block, of_type, only

OFFICE = "203.0.113.0/24"
SITE = "198.51.100.0/24"
SOMEBODY = "11111111-2222-3333-4444-555555555555"
ADMINS = "22222222-2222-3333-4444-555555555555"
DISK_KEY = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/keys"
    "/providers/Microsoft.Compute/diskEncryptionSets/cluster"
)
ENVIRONMENTS = pytest.mark.parametrize("environment", ["dev", "prod"])


def _roles(aks: Block) -> set[tuple[str, str, str]]:
    """Every role as principal, role and scope, shortened to what tells them apart."""

    def short(token: str) -> str:
        return token.removeprefix("${").removesuffix("}").removeprefix("data.terraform_remote_state.")

    return {
        (short(role["principal_id"]), role["role_definition_name"], short(role["scope"]))
        for role in of_type(aks, "azurerm_role_assignment")
    }


@ENVIRONMENTS
def test_people_get_in_by_entra_and_roles_only(environment: str) -> None:
    cluster = cluster_of(environment)
    assert cluster["local_account_disabled"] is True
    assert cluster["role_based_access_control_enabled"] is True
    assert cluster["run_command_enabled"] is False
    entra = cluster["azure_active_directory_role_based_access_control"]
    assert entra["azure_rbac_enabled"] is True
    assert entra["tenant_id"]


def test_extra_admin_groups_administer_the_cluster() -> None:
    cluster = cluster_of(cluster={"extra_admin_group_ids": [ADMINS]})
    assert cluster["azure_active_directory_role_based_access_control"]["admin_group_object_ids"] == [ADMINS]


@pytest.mark.parametrize(
    ("settings", "role"),
    [
        ({"backups": {"scheduled": True, "pipeline_object_id": SOMEBODY}}, "llm-dev-pipeline-backup-"),
        ({"cluster": {"off_hours": {"enabled": True, "pipeline_object_id": SOMEBODY}}}, "llm-dev-pipeline-off-hours-"),
    ],
)
def test_a_schedule_of_a_pipeline_has_its_role_on_each_new_cluster(settings: dict[str, Block], role: str) -> None:
    (given,) = [one for one in _roles(aks_stack(**settings)) if one[0] == SOMEBODY]
    assert given[1].startswith(role)
    assert given[2] == "azurerm_kubernetes_cluster.cluster.id"
    assert not [one for one in _roles(aks_stack(backups={"scheduled": True})) if "pipeline" in one[1]]


@ENVIRONMENTS
def test_workloads_get_identities_from_the_clusters_issuer(environment: str) -> None:
    aks = aks_stack(environment)
    cluster = only(aks, "azurerm_kubernetes_cluster")
    assert (cluster["oidc_issuer_enabled"], cluster["workload_identity_enabled"]) == (True, True)
    subjects = {
        credential["subject"]: credential["issuer"]
        for credential in of_type(aks, "azurerm_federated_identity_credential")
    }
    keeper = ("system:serviceaccount:cert-manager:certificate-keeper",) if environment == "prod" else ()
    assert subjects == dict.fromkeys(
        (
            *keeper,
            "system:serviceaccount:cert-manager:cert-manager",
            "system:serviceaccount:databases:prepare-databases",
            "system:serviceaccount:external-secrets:vault-reader",
            "system:serviceaccount:monitoring:grafana",
        ),
        "${azurerm_kubernetes_cluster.cluster.oidc_issuer_url}",
    )


def test_login_application_trusts_the_workloads_that_log_people_in() -> None:
    aks = aks_stack()
    assert {block["subject"] for block in of_type(aks, "azuread_application_federated_identity_credential")} == {
        "system:serviceaccount:chat:open-webui",
        "system:serviceaccount:monitoring:grafana",
        "system:serviceaccount:opik:oauth2-proxy",
    }
    chat_alone = aks_stack(opik={"enabled": False}, monitoring={"enabled": False})
    assert len(of_type(chat_alone, "azuread_application_federated_identity_credential")) == 1


def test_without_directory_rights_the_directory_is_left_alone() -> None:
    given = {"manage": False, "client_id": SOMEBODY, "application_object_id": SOMEBODY}
    aks = aks_stack(identity=given | {"access_group_object_id": ADMINS})
    assert "azuread" not in aks["provider"]
    assert not of_type(aks, "azuread_application_federated_identity_credential")


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


def test_public_api_answers_operators_and_named_ranges_only() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, cluster={"api_authorized_ranges": [SITE, OFFICE]})
    assert cluster["private_cluster_enabled"] is False
    assert cluster["api_server_access_profile"]["authorized_ip_ranges"] == [SITE, OFFICE]


def test_the_cluster_goes_out_by_the_address_that_outlives_it() -> None:
    """Other networks let the environment in by that address, whatever sends from it."""
    outbound = "${data.terraform_remote_state.address-state.outputs.outbound_ip_id}"
    profile = cluster_of(network={"outbound": "load-balancer"})["network_profile"]
    assert profile["load_balancer_profile"] == {"outbound_ip_address_ids": [outbound]}
    assert "load_balancer_profile" not in cluster_of(network={"outbound": "nat-gateway"})["network_profile"]


def test_the_right_to_send_from_the_address_is_there_before_the_cluster() -> None:
    needed = cluster_of(network={"outbound": "load-balancer"})["depends_on"]
    assert any("control-plane-roles_outbound" in role for role in needed)


def test_nodes_behind_a_nat_gateway_may_reach_a_restricted_api() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, network=NAT_MODE)
    assert cluster["api_server_access_profile"]["authorized_ip_ranges"] == [
        OFFICE,
        "${data.terraform_remote_state.address-state.outputs.outbound_ip_address}/32",
    ]


def test_api_without_ranges_is_not_restricted_to_nobody() -> None:
    assert "api_server_access_profile" not in cluster_of(network=NAT_MODE)


def test_private_api_has_no_public_name_and_no_ranges() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, cluster={"api_access": "private"})
    assert (cluster["private_cluster_enabled"], cluster["private_dns_zone_id"]) == (True, "System")
    assert cluster["private_cluster_public_fqdn_enabled"] is False
    assert "api_server_access_profile" not in cluster


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
    assert ("azurerm_user_assigned_identity.control-plane.principal_id", "Reader", DISK_KEY) in _roles(aks)
    assert any("disk-key" in waits for waits in cluster["depends_on"])


CONTROL_PLANE = "azurerm_user_assigned_identity.control-plane.principal_id"
KUBELET = "azurerm_user_assigned_identity.kubelet.principal_id"


def test_cluster_and_workloads_have_these_roles_and_no_others() -> None:
    workloads = ("databases", "external-secrets", "grafana")
    roles = {role for role in _roles(aks_stack()) if not any(workload in role[0] for workload in workloads)}
    assert roles == {
        (CONTROL_PLANE, "Network Contributor", "network-state.outputs.nodes_subnet_id"),
        (CONTROL_PLANE, "Network Contributor", "address-state.outputs.public_ip_id"),
        (CONTROL_PLANE, "Network Contributor", "address-state.outputs.outbound_ip_id"),
        (CONTROL_PLANE, "Reader", "address-state.outputs.resource_group_id"),
        (CONTROL_PLANE, "Managed Identity Operator", "azurerm_user_assigned_identity.kubelet.id"),
        (CONTROL_PLANE, "Disk Restore Operator", "disks-state.outputs.resource_group_id"),
        (KUBELET, "AcrPull", "acr-state.outputs.registry_id"),
        (
            "data.azurerm_client_config.deployer.object_id",
            "Azure Kubernetes Service RBAC Cluster Admin",
            "azurerm_kubernetes_cluster.cluster.id",
        ),
    }


def test_grafana_reads_metrics_of_the_database_and_nothing_else() -> None:
    ((_, role, scope),) = [role for role in _roles(aks_stack()) if "grafana" in role[0]]
    assert (role, scope) == ("Monitoring Reader", "database-state.outputs.resource_group_id")


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
    assert {role for _, role, _ in (found for found in _roles(aks) if "grafana" in found[0])} == {
        "Monitoring Reader",
        "Monitoring Data Reader",
    }


def test_certificates_are_kept_with_rights_on_exactly_their_secrets() -> None:
    keeper = [found for found in _roles(aks_stack("prod")) if "certificate-keeper" in found[0]]
    assert {role for _, role, _ in keeper} == {"Key Vault Secrets Officer"}
    assert {scope for _, _, scope in keeper} == {
        f"database-state.outputs.vault_id}}/secrets/{name}"
        for name in (
            "kept-acme-account",
            "kept-certificate-api",
            "kept-certificate-chat",
            "kept-certificate-grafana",
            "kept-certificate-opik",
        )
    }
    # Nothing of staging is kept.
    assert not [found for found in _roles(aks_stack("dev")) if "certificate-keeper" in found[0]]


def test_external_secrets_reads_the_vault_and_nothing_else() -> None:
    ((principal, role, scope),) = [role for role in _roles(aks_stack()) if "external-secrets" in role[0]]
    assert (role, scope) == ("Key Vault Secrets User", "database-state.outputs.vault_id")
    assert principal.startswith("azurerm_user_assigned_identity.external-secrets")


def test_the_job_of_the_databases_reads_one_secret_of_the_vault() -> None:
    ((principal, role, scope),) = [role for role in _roles(aks_stack()) if "databases" in role[0]]
    assert (role, scope) == (
        "Key Vault Secrets User",
        "database-state.outputs.vault_id}/secrets/database-administrator-password",
    )
    assert principal.startswith("azurerm_user_assigned_identity.databases")
    credentials = of_type(aks_stack(), "azurerm_federated_identity_credential")
    assert "system:serviceaccount:databases:prepare-databases" in {found["subject"] for found in credentials}


@pytest.mark.parametrize(("sku", "firewall"), [("WAF_v2", True), ("Standard_v2", False)])
def test_ingress_controller_may_write_the_gateway_and_use_what_belongs_to_it(sku: str, firewall: bool) -> None:
    aks = aks_stack(ingress=GATEWAY_MODE | {"application_gateway": {"sku": sku}})
    addon = "azurerm_kubernetes_cluster.cluster.ingress_application_gateway[0]"
    controller = f"{addon}.ingress_application_gateway_identity[0].object_id"
    roles = {(role, scope.rpartition(".")[2]) for principal, role, scope in _roles(aks) if principal == controller}
    expected = {
        ("Reader", "resource_group_id"),
        ("Contributor", "application_gateway_id"),
        ("Network Contributor", "gateway_subnet_id"),
        ("Network Contributor", "public_ip_id"),
    }
    assert roles == expected | ({("Network Contributor", "firewall_policy_id")} if firewall else set())
    gateway = only(aks, "azurerm_kubernetes_cluster")["ingress_application_gateway"]["gateway_id"]
    assert gateway == "${data.terraform_remote_state.network-state.outputs.application_gateway_id}"


def test_without_a_gateway_its_addon_is_off() -> None:
    assert "ingress_application_gateway" not in cluster_of()


@ENVIRONMENTS
def test_cluster_waits_for_the_roles_without_which_azure_refuses_it(environment: str) -> None:
    aks = aks_stack(environment)
    roles = aks["resource"]["azurerm_role_assignment"]
    waits = [roles[name.rpartition(".")[2]] for name in only(aks, "azurerm_kubernetes_cluster")["depends_on"]]
    assert {role["role_definition_name"] for role in waits} >= {"Network Contributor", "Managed Identity Operator"}


def test_first_deployer_stays_administrator_when_another_deploys() -> None:
    role = named(aks_stack(), "azurerm_role_assignment", "operator")
    assert role["lifecycle"]["ignore_changes"] == ["name", "principal_id"]


def test_named_operators_administer_the_cluster_instead_of_the_deployer() -> None:
    aks = aks_stack(operators={"object_ids": [SOMEBODY, ADMINS]})
    admins = {principal for principal, role, _ in _roles(aks) if role == "Azure Kubernetes Service RBAC Cluster Admin"}
    assert admins == {SOMEBODY, ADMINS}
    assert "azurerm_client_config" not in aks.get("data", {})


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


def test_ways_to_the_api_are_handed_on_without_credentials() -> None:
    outputs = aks_stack()["output"]
    assert outputs["api_url"]["value"] == "${nonsensitive(azurerm_kubernetes_cluster.cluster.kube_config[0].host)}"
    handed_on = " ".join(str(output["value"]) for output in outputs.values())
    assert not [word for word in ("client_key", "password", "kube_config_raw", "admin_config") if word in handed_on]
