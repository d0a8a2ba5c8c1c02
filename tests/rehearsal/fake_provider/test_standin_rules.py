"""Every rule refuses what it is there for, and nothing of what is right."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.lab.rehearsal.fake_provider.azure_rules import RULES
from scripts.lab.rehearsal.fake_provider.rules import APPLY, PLAN, VALIDATE, problems
from scripts.lab.rehearsal.fake_provider.values import UNKNOWN

AKS = "azurerm_kubernetes_cluster"
POOL = "azurerm_kubernetes_cluster_node_pool"
ACR = "azurerm_container_registry"
PG = "azurerm_postgresql_flexible_server"
VAULT = "azurerm_key_vault"
STORAGE = "azurerm_storage_account"
SECRET = "azurerm_key_vault_secret"
NSG_RULE = "azurerm_network_security_rule"
ENTRA = "azure_active_directory_role_based_access_control"
APP_ID = "/applications/00000000-0000-4000-8000-000000000000"


def pool(**arguments: Any) -> dict[str, Any]:
    return {"default_node_pool": [arguments]}


def network(**arguments: Any) -> dict[str, Any]:
    return {"network_profile": [arguments]}


# One line per reason: type, stage, a configuration that is refused, a word of the message, the nearest right one.
CASES: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    (AKS, VALIDATE, pool(min_count=0), "min_count", pool(min_count=1)),
    (AKS, VALIDATE, pool(node_taints=["a=b:NoSchedule"]), "only_critical_addons", pool(node_taints=[])),
    (AKS, VALIDATE, pool(upgrade_settings=[{"drain_timeout_in_minutes": 5}]), "max_surge", pool(upgrade_settings=[])),
    (
        AKS,
        VALIDATE,
        pool(upgrade_settings=[{"max_surge": "10%", "max_unavailable": "1"}]),
        "max_unavailable",
        pool(upgrade_settings=[{"max_surge": "10%"}]),
    ),
    (
        POOL,
        VALIDATE,
        {"upgrade_settings": [{"drain_timeout_in_minutes": 5}]},
        "max_unavailable",
        {"upgrade_settings": [{"max_unavailable": "1"}]},
    ),
    (AKS, VALIDATE, pool(os_sku="Mariner"), "os_sku", pool(os_sku="AzureLinux")),
    (POOL, VALIDATE, {"os_sku": "Ubuntu2404"}, "os_sku", {"os_sku": "Ubuntu2204"}),
    (AKS, VALIDATE, network(load_balancer_sku="Standard"), "standard", network(load_balancer_sku="standard")),
    (
        AKS,
        VALIDATE,
        {"identity": [{"type": "SystemAssigned, UserAssigned"}]},
        "identity.type",
        {"identity": [{"type": "UserAssigned"}]},
    ),
    (AKS, VALIDATE, {"automatic_upgrade_channel": "none"}, "patch", {"automatic_upgrade_channel": "patch"}),
    (
        AKS,
        VALIDATE,
        {"auto_scaler_profile": [{"expander": "least_waste"}]},
        "least-waste",
        {"auto_scaler_profile": [{"expander": "least-waste"}]},
    ),
    (AKS, VALIDATE, {"image_cleaner_interval_hours": 12}, "24", {"image_cleaner_interval_hours": 24}),
    (
        AKS,
        VALIDATE,
        {"maintenance_window_auto_upgrade": [{"duration": 3}]},
        "duration",
        {"maintenance_window_auto_upgrade": [{"duration": 4}]},
    ),
    (
        AKS,
        VALIDATE,
        {"maintenance_window_node_os": [{"duration": 3}]},
        "duration",
        {"maintenance_window_node_os": [{"duration": 4}]},
    ),
    (
        AKS,
        VALIDATE,
        {"kubelet_identity": [{"client_id": "x"}], "identity": [{"type": "SystemAssigned", "identity_ids": None}]},
        "identity_ids",
        {"kubelet_identity": [{"client_id": "x"}], "identity": [{"type": "UserAssigned", "identity_ids": [UNKNOWN]}]},
    ),
    (
        AKS,
        VALIDATE,
        {ENTRA: [{"azure_rbac_enabled": True, "tenant_id": None, "admin_group_object_ids": None}]},
        "tenant_id",
        {ENTRA: [{"azure_rbac_enabled": True, "tenant_id": None, "admin_group_object_ids": UNKNOWN}]},
    ),
    (
        AKS,
        VALIDATE,
        {"key_vault_secrets_provider": [{"secret_rotation_enabled": None, "secret_rotation_interval": None}]},
        "secret_rotation",
        {"key_vault_secrets_provider": [{"secret_rotation_enabled": False, "secret_rotation_interval": None}]},
    ),
    (AKS, VALIDATE, pool(name="thirteenchars"), "12", pool(name="twelve2chars")),
    (POOL, VALIDATE, {"name": "gpu-t4"}, "letters", {"name": "gput4"}),
    (
        AKS,
        VALIDATE,
        pool(temporary_name_for_rotation="System"),
        "lower-case",
        pool(temporary_name_for_rotation="system"),
    ),
    (
        POOL,
        VALIDATE,
        {"temporary_name_for_rotation": "1st"},
        "letters",
        {"temporary_name_for_rotation": "first"},
    ),
    (
        AKS,
        PLAN,
        network(outbound_type="none"),
        "bootstrap_profile",
        {**network(outbound_type="none"), "bootstrap_profile": [{"artifact_source": "Cache"}]},
    ),
    (
        AKS,
        PLAN,
        network(advanced_networking=[{"observability_enabled": True}], network_data_plane="azure"),
        "cilium",
        network(advanced_networking=[{"observability_enabled": True}], network_data_plane="cilium"),
    ),
    (
        AKS,
        APPLY,
        {"workload_identity_enabled": True, "oidc_issuer_enabled": False},
        "oidc_issuer_enabled",
        {"workload_identity_enabled": True, "oidc_issuer_enabled": True},
    ),
    (
        AKS,
        APPLY,
        {"automatic_upgrade_channel": "node-image", "node_os_upgrade_channel": "SecurityPatch"},
        "NodeImage",
        {"automatic_upgrade_channel": "node-image", "node_os_upgrade_channel": "NodeImage"},
    ),
    (AKS, APPLY, pool(min_count=1, max_count=2), "null", pool(node_count=1)),
    (POOL, APPLY, {"max_count": 3}, "null", {"max_count": 3, "auto_scaling_enabled": True}),
    (
        AKS,
        APPLY,
        pool(auto_scaling_enabled=True),
        "must be configured",
        pool(auto_scaling_enabled=True, min_count=1, max_count=3),
    ),
    (
        AKS,
        APPLY,
        pool(auto_scaling_enabled=True, min_count=1, max_count=3, node_count=4),
        "between",
        pool(auto_scaling_enabled=True, min_count=1, max_count=3, node_count=3),
    ),
    (
        AKS,
        APPLY,
        network(network_plugin="azure", pod_cidr="10.244.0.0/16"),
        "pod_cidr",
        network(network_plugin="azure", pod_cidr="10.244.0.0/16", network_plugin_mode="overlay"),
    ),
    (
        AKS,
        APPLY,
        network(service_cidr="10.0.0.0/16"),
        "dns_service_ip",
        network(service_cidr="10.0.0.0/16", dns_service_ip="10.0.0.10"),
    ),
    (
        AKS,
        APPLY,
        {"cost_analysis_enabled": True, "sku_tier": "Free"},
        "sku_tier",
        {"cost_analysis_enabled": True, "sku_tier": "Standard"},
    ),
    (
        AKS,
        APPLY,
        {"private_dns_zone_id": "/subscriptions/x", "identity": [{"type": "SystemAssigned"}]},
        "private dns zone",
        {"private_dns_zone_id": "System", "identity": [{"type": "SystemAssigned"}]},
    ),
    (
        AKS,
        APPLY,
        {"local_account_disabled": True, ENTRA: []},
        "local accounts",
        {"local_account_disabled": True, ENTRA: [{"tenant_id": "x"}]},
    ),
    (
        AKS,
        APPLY,
        network(network_policy="cilium"),
        "cilium",
        network(network_policy="cilium", network_data_plane="cilium"),
    ),
    (
        AKS,
        APPLY,
        {"support_plan": "AKSLongTermSupport", "sku_tier": "Standard"},
        "Premium",
        {"support_plan": "AKSLongTermSupport", "sku_tier": "Premium"},
    ),
    (
        AKS,
        APPLY,
        {"private_cluster_enabled": True, "api_server_access_profile": [{"authorized_ip_ranges": ["192.0.2.0/24"]}]},
        "authorized IP ranges",
        {"private_cluster_enabled": False, "api_server_access_profile": [{"authorized_ip_ranges": ["192.0.2.0/24"]}]},
    ),
    (
        POOL,
        APPLY,
        {"eviction_policy": "Delete", "priority": "Regular"},
        "eviction_policy",
        {"eviction_policy": "Delete", "priority": "Spot"},
    ),
    (POOL, APPLY, {"spot_max_price": 0.5}, "spot_max_price", {"spot_max_price": 0.5, "priority": "Spot"}),
    (ACR, VALIDATE, {"name": "llm-dev"}, "letters and digits", {"name": "llmdev"}),
    *(
        (ACR, PLAN, {"sku": "Standard", argument: value}, "Premium", {"sku": "Premium", argument: value})
        for argument, value in {
            "zone_redundancy_enabled": True,
            "retention_policy_in_days": 7,
            "trust_policy_enabled": True,
            "quarantine_policy_enabled": True,
            "data_endpoint_enabled": True,
            "georeplications": [{"location": "northeurope"}],
        }.items()
    ),
    (
        ACR,
        PLAN,
        {"sku": "Basic", "anonymous_pull_enabled": True},
        "Standard/Premium",
        {"sku": "Standard", "anonymous_pull_enabled": True},
    ),
    (
        ACR,
        PLAN,
        {"export_policy_enabled": False},
        "public_network_access",
        {"export_policy_enabled": False, "public_network_access_enabled": False},
    ),
    (
        ACR,
        PLAN,
        {"sku": "Premium", "location": "westeurope", "georeplications": [{"location": "westeurope"}]},
        "georeplications",
        {"sku": "Premium", "location": "westeurope", "georeplications": [{"location": "northeurope"}]},
    ),
    (
        ACR,
        APPLY,
        {"sku": "Basic", "public_network_access_enabled": False},
        "Premium",
        {"sku": "Premium", "public_network_access_enabled": False},
    ),
    (
        ACR,
        APPLY,
        {"sku": "Standard", "network_rule_set": [{"default_action": "Deny"}]},
        "Premium",
        {"sku": "Premium", "network_rule_set": [{"default_action": "Deny"}]},
    ),
    (SECRET, VALIDATE, {"value_wo": UNKNOWN}, "value_wo_version", {"value_wo": UNKNOWN, "value_wo_version": 1}),
    (
        PG,
        VALIDATE,
        {"administrator_password_wo": "x"},
        "administrator_password_wo_version",
        {"administrator_password_wo": "x", "administrator_password_wo_version": 1},
    ),
    (
        "azurerm_postgresql_flexible_server_database",
        VALIDATE,
        {"collation": "en-US"},
        "en_US.utf8",
        {"collation": "en_US.utf8"},
    ),
    (PG, VALIDATE, {"sku_name": "Standard_B1ms"}, "B_", {"sku_name": "B_Standard_B1ms"}),
    (
        PG,
        PLAN,
        {"storage_tier": "P4", "storage_mb": 131072},
        "storage_tier",
        {"storage_tier": "P4", "storage_mb": 32768},
    ),
    (
        PG,
        APPLY,
        {"authentication": [{"password_auth_enabled": False}], "administrator_login": "x"},
        "password_auth_enabled",
        {"authentication": [{"password_auth_enabled": True}], "administrator_login": "x"},
    ),
    (
        PG,
        APPLY,
        {"sku_name": "B_Standard_B1ms", "high_availability": [{"mode": "ZoneRedundant"}]},
        "burstable",
        {"sku_name": "GP_Standard_D2s_v3", "high_availability": [{"mode": "ZoneRedundant"}]},
    ),
    (
        PG,
        APPLY,
        {"delegated_subnet_id": "/subscriptions/x"},
        "private_dns_zone_id",
        {"delegated_subnet_id": "/subscriptions/x", "private_dns_zone_id": "/subscriptions/y"},
    ),
    (
        VAULT,
        VALIDATE,
        {"network_acls": [{"default_action": "Deny"}]},
        "bypass",
        {"network_acls": [{"default_action": "Deny", "bypass": "AzureServices"}]},
    ),
    (VAULT, VALIDATE, {"name": "llm--dev"}, "3 to 24", {"name": "llm-dev"}),
    *(
        (
            "azurerm_key_vault_access_policy",
            VALIDATE,
            {f"{kind}_permissions": ["get"]},
            "capital",
            {f"{kind}_permissions": ["Get"]},
        )
        for kind in ("secret", "key", "certificate", "storage")
    ),
    (SECRET, VALIDATE, {"expiration_date": "2030-01-01"}, "time", {"expiration_date": "2030-01-01T00:00:00Z"}),
    (STORAGE, VALIDATE, {"name": "llm-dev"}, "lower-case", {"name": "llmdev"}),
    (
        STORAGE,
        VALIDATE,
        {"network_rules": [{"ip_rules": ["10.0.0.1"]}]},
        "public",
        {"network_rules": [{"ip_rules": ["20.0.0.1"]}]},
    ),
    (
        "azurerm_storage_account_network_rules",
        VALIDATE,
        {"ip_rules": ["20.0.0.1/32"]},
        "/30",
        {"ip_rules": ["20.0.0.0/30"]},
    ),
    (
        STORAGE,
        APPLY,
        {"blob_properties": [{"restore_policy": [{"days": 7}], "change_feed_enabled": False}]},
        "change_feed",
        {"blob_properties": [{"restore_policy": [{"days": 7}], "change_feed_enabled": True}]},
    ),
    (
        "azurerm_managed_disk",
        APPLY,
        {"storage_account_type": "Premium_LRS", "disk_iops_read_write": 4000},
        "UltraSSD",
        {"storage_account_type": "PremiumV2_LRS", "disk_iops_read_write": 4000},
    ),
    ("azurerm_key_vault_key", APPLY, {"key_type": "RSA"}, "Key size", {"key_type": "RSA", "key_size": 4096}),
    (
        "azurerm_data_protection_backup_vault",
        VALIDATE,
        {"retention_duration_in_days": 7},
        "14",
        {"retention_duration_in_days": 14},
    ),
    *(
        (policy, VALIDATE, {"name": "ab"}, "3 to 150", {"name": "abc"})
        for policy in (
            "azurerm_data_protection_backup_policy_disk",
            "azurerm_data_protection_backup_policy_postgresql_flexible_server",
            "azurerm_backup_policy_file_share",
        )
    ),
    (NSG_RULE, VALIDATE, {"protocol": "TCP"}, "Tcp", {"protocol": "Tcp"}),
    (
        "azurerm_network_security_group",
        VALIDATE,
        {"security_rule": [{"protocol": "TCP"}]},
        "Tcp",
        {"security_rule": [{"protocol": "*"}]},
    ),
    ("azurerm_nat_gateway", VALIDATE, {"sku_name": "StandardV2"}, "Standard", {"sku_name": "Standard"}),
    ("azurerm_public_ip", VALIDATE, {"sku": "StandardV2"}, "Standard", {"sku": "Standard"}),
    (
        "azurerm_public_ip",
        APPLY,
        {"sku": "Standard", "allocation_method": "Dynamic"},
        "Static",
        {"sku": "Standard", "allocation_method": "Static"},
    ),
    *(
        (NSG_RULE, APPLY, {one: "a", many: ["b"]}, "only one", {one: "a", many: None})
        for one, many in (
            ("source_address_prefix", "source_address_prefixes"),
            ("source_port_range", "source_port_ranges"),
            ("destination_address_prefix", "destination_address_prefixes"),
            ("destination_port_range", "destination_port_ranges"),
        )
    ),
    (
        "azurerm_application_gateway",
        APPLY,
        {"probe": [{"host": "a", "pick_host_name_from_backend_http_settings": True}]},
        "only one",
        {"probe": [{"host": None, "pick_host_name_from_backend_http_settings": True}]},
    ),
    (
        "azurerm_federated_identity_credential",
        VALIDATE,
        {"user_assigned_identity_id": "/x"},
        "parent_id",
        {"parent_id": "/x"},
    ),
    ("azurerm_federated_identity_credential", VALIDATE, {"audience": ["a", "b"]}, "1 item", {"audience": ["a"]}),
    ("azurerm_log_analytics_workspace", VALIDATE, {"retention_in_days": 7}, "30", {"retention_in_days": 30}),
    ("azurerm_log_analytics_workspace", VALIDATE, {"name": "log"}, "4 to 63", {"name": "logs"}),
    (
        "azurerm_role_assignment",
        APPLY,
        {"role_definition_id": "/subscriptions/x/roleDefinitions/y|/subscriptions/x"},
        "role_definition_resource_id",
        {"role_definition_id": "/subscriptions/x/roleDefinitions/y"},
    ),
    *(
        (
            f"azuread_application_{of}",
            VALIDATE,
            {"application_id": APP_ID.rsplit("/", 1)[-1]},
            "/applications/",
            {"application_id": APP_ID},
        )
        for of in ("federated_identity_credential", "identifier_uri", "optional_claims", "password", "redirect_uris")
    ),
    ("azuread_group", VALIDATE, {"display_name": "x"}, "security_enabled", {"security_enabled": True}),
    *(
        (
            "azuread_application",
            VALIDATE,
            {place: [{"redirect_uris": ["https://a.example"]}]},
            "trailing slash",
            {place: [{"redirect_uris": ["https://a.example/", "https://a.example/callback"]}]},
        )
        for place in ("web", "single_page_application")
    ),
    (
        "azuread_application_redirect_uris",
        VALIDATE,
        {"redirect_uris": ["https://a.example"]},
        "trailing slash",
        {"redirect_uris": ["https://a.example/"]},
    ),
]


@pytest.mark.parametrize(
    ("type_name", "stage", "wrong", "word", "right"),
    CASES,
    ids=[f"{case[0].split('_', 1)[1]}-{case[1]}-{next(iter(case[2]))}-{case[3]}" for case in CASES],
)
def test_a_rule_refuses_the_wrong_and_takes_the_right(
    type_name: str, stage: str, wrong: dict[str, Any], word: str, right: dict[str, Any]
) -> None:
    (found,) = problems(RULES, type_name, stage, wrong)
    assert word in found[1]
    assert problems(RULES, type_name, stage, right) == []


def test_every_rule_has_a_case() -> None:
    fired = {
        position
        for position, rule in enumerate(RULES)
        for type_name, stage, wrong, _word, _right in CASES
        if (rule.type, rule.stage) == (type_name, stage) and rule.check(wrong)
    }
    assert [RULES[position] for position in range(len(RULES)) if position not in fired] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.path}")
def test_what_is_not_known_yet_is_never_refused(rule: Any) -> None:
    class Unknown(dict[str, Any]):
        def get(self, _key: str, _default: Any = None) -> Any:
            return UNKNOWN

    assert rule.check(Unknown()) is None
