"""Cases for the rules about registry, database, vault, storage, disks and backup."""

from __future__ import annotations

from scripts.lab.rehearsal.fake_provider.protocol.values import UNKNOWN
from scripts.lab.rehearsal.fake_provider.rules.checks import APPLY, PLAN, VALIDATE

from .case import Case

ACR = "azurerm_container_registry"
PG = "azurerm_postgresql_flexible_server"
VAULT = "azurerm_key_vault"
STORAGE = "azurerm_storage_account"
SECRET = "azurerm_key_vault_secret"

CASES: list[Case] = [
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
        STORAGE,
        VALIDATE,
        {"network_rules": [{"ip_rules": ["20.0.0.1/32"]}]},
        "/30",
        {"network_rules": [{"ip_rules": ["20.0.0.0/30"]}]},
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
    (
        "azurerm_data_protection_backup_vault",
        VALIDATE,
        {"retention_duration_in_days": 7},
        "14",
        {"retention_duration_in_days": 14},
    ),
    (
        "azurerm_data_protection_backup_policy_disk",
        VALIDATE,
        {"name": "ab"},
        "3 to 150",
        {"name": "abc"},
    ),
]
