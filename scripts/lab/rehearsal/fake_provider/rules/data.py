"""What azurerm and Azure refuse about what keeps data: registry, database, vault, storage, disks, backup."""

from __future__ import annotations

import ipaddress
from typing import Any

from .checks import APPLY, PLAN, VALIDATE, Rule, between, each, matching, needs, on, when

_ACR = "azurerm_container_registry"
_PG = "azurerm_postgresql_flexible_server"
_VAULT = "azurerm_key_vault"
_STORAGE = "azurerm_storage_account"
_SECRET = "azurerm_key_vault_secret"  # noqa: S105 - a type's name

_PREMIUM_ONLY = {
    "zone_redundancy_enabled": "ACR zone redundancy can only be applied when using the Premium Sku",
    "retention_policy_in_days": "an ACR retention policy can only be applied when using the Premium Sku",
    "trust_policy_enabled": "an ACR trust policy can only be applied when using the Premium Sku",
    "quarantine_policy_enabled": "an ACR quarantine policy can only be applied when using the Premium Sku",
    "data_endpoint_enabled": "ACR Data endpoints can only be enabled on registries with the Premium Sku",
    "georeplications": "an ACR geo-replication can only be applied when using the Premium Sku",
}


def _public_address(text: Any) -> bool:
    try:
        network = ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return False
    return not network.is_private and ("/" not in str(text) or network.prefixlen <= 30)


def _below_premium(path: str, message: str) -> Rule:
    return when(_ACR, PLAN, lambda get: get(path) and get("sku") in {"Basic", "Standard"}, message)


_REGISTRY_RULES = (
    on(_ACR, VALIDATE, "name", matching("[a-zA-Z0-9]{5,50}", "5 to 50 letters and digits")),
    *(_below_premium(path, message) for path, message in _PREMIUM_ONLY.items()),
    when(
        _ACR,
        PLAN,
        lambda get: get("anonymous_pull_enabled") and get("sku") == "Basic",
        "`anonymous_pull_enabled` can only be applied when using the Standard/Premium Sku",
    ),
    when(
        _ACR,
        PLAN,
        lambda get: get("export_policy_enabled") is False and get("public_network_access_enabled") is not False,
        "to disable export of artifacts, `public_network_access_enabled` must also be `false`",
    ),
    when(
        _ACR,
        PLAN,
        lambda get: (
            get("location") and get("location") in [item.get("location") for item in get("georeplications") or []]
        ),
        "the `georeplications` list cannot contain the location where the Container Registry exists",
    ),
    when(
        _ACR,
        APPLY,
        lambda get: get("public_network_access_enabled") is False and get("sku") != "Premium",
        "`public_network_access_enabled` can only be disabled for a Premium Sku",
    ),
    when(
        _ACR,
        APPLY,
        lambda get: get("network_rule_set") and get("sku") != "Premium",
        "`network_rule_set_set` can only be specified for a Premium Sku",
    ),
)

_DATA_RULES = (
    on(_SECRET, VALIDATE, "value_wo", needs("value_wo_version")),
    on(_PG, VALIDATE, "administrator_password_wo", needs("administrator_password_wo_version")),
    on(_PG, VALIDATE, "sku_name", matching("(B|GP|MO)_.+", "it begins with B_, GP_ or MO_")),
    when(
        _PG,
        PLAN,
        lambda get: get("storage_tier") == "P4" and (get("storage_mb") or 0) >= 131072,
        'invalid "storage_tier" P4 for "storage_mb" of 131072 and more',
    ),
    when(
        _PG,
        APPLY,
        lambda get: (get("authentication.password_auth_enabled") is False) and get("administrator_login"),
        "`administrator_login` and a password must not be set when `authentication.password_auth_enabled` is false",
    ),
    when(
        _PG,
        APPLY,
        lambda get: get("high_availability") and str(get("sku_name")).startswith("B_"),
        "BadRequest: high availability is not supported on burstable servers",
    ),
    when(
        _PG,
        APPLY,
        lambda get: get("delegated_subnet_id") and not get("private_dns_zone_id"),
        "`private_dns_zone_id` is required with `delegated_subnet_id`",
    ),
    when(
        _VAULT,
        VALIDATE,
        lambda get: get("network_acls") and not get("network_acls.bypass"),
        'The argument "bypass" is required in network_acls',
    ),
    on(
        _VAULT,
        VALIDATE,
        "name",
        matching("[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", "3 to 24 letters, digits, dashes"),
    ),
    on(_SECRET, VALIDATE, "expiration_date", matching(r".+T\d\d:\d\d:\d\d(Z|[+-].+)", "a date with a time is needed")),
    on(_STORAGE, VALIDATE, "name", matching("[a-z0-9]{3,24}", "3 to 24 lower-case letters and digits")),
    on(
        _STORAGE,
        VALIDATE,
        "network_rules.ip_rules",
        each(_public_address, "a public address, or a range of /30 or larger"),
    ),
    when(
        _STORAGE,
        APPLY,
        lambda get: get("blob_properties.restore_policy") and not get("blob_properties.change_feed_enabled"),
        "`change_feed_enabled` must be `true` when `restore_policy` is set",
    ),
    when(
        "azurerm_managed_disk",
        APPLY,
        lambda get: (
            (get("disk_iops_read_write") or get("disk_mbps_read_write"))
            and get("storage_account_type") not in {"UltraSSD_LRS", "PremiumV2_LRS"}
        ),
        "[ERROR] disk_iops_read_write and disk_mbps_read_write are only available for UltraSSD disks and"
        " PremiumV2 disks",
    ),
    on("azurerm_data_protection_backup_vault", VALIDATE, "retention_duration_in_days", between(14, 180)),
    on(
        "azurerm_data_protection_backup_policy_disk",
        VALIDATE,
        "name",
        matching(r"[A-Za-z][-A-Za-z0-9]{2,149}", "3 to 150 letters, digits and dashes"),
    ),
)

RULES: tuple[Rule, ...] = (*_REGISTRY_RULES, *_DATA_RULES)
