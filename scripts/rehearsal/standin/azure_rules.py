"""What azurerm and azuread refuse, beyond their schemas: one line per reason.

``VALIDATE`` and ``PLAN`` lines were seen with the pinned providers. ``APPLY`` lines pass a plan and are refused by the
provider's create call or by Azure.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from scripts.rehearsal.standin.rules import (
    APPLY,
    PLAN,
    VALIDATE,
    Rule,
    between,
    each,
    matching,
    needs,
    on,
    one_of,
    refused,
    when,
)

_AKS = "azurerm_kubernetes_cluster"
_POOL = "azurerm_kubernetes_cluster_node_pool"
_ACR = "azurerm_container_registry"
_PG = "azurerm_postgresql_flexible_server"
_VAULT = "azurerm_key_vault"
_STORAGE = "azurerm_storage_account"
_SECRET = "azurerm_key_vault_secret"  # noqa: S105 - a type's name

_OS_SKUS = ("AzureLinux", "AzureLinux3", "Ubuntu", "Ubuntu2204", "Windows2019", "Windows2022")
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


def _lower_case(permission: Any) -> bool:
    return str(permission)[:1].isupper()


_AKS_RULES = (
    when(_AKS, VALIDATE, lambda get: get("default_node_pool.min_count") == 0,
         "expected default_node_pool.0.min_count to be in the range (1 - 1000), got 0"),
    on(_AKS, VALIDATE, "default_node_pool.node_taints", refused(
        "`node_taints` cannot be set on the default node pool: use `only_critical_addons_enabled`")),
    when(_AKS, VALIDATE, lambda get: get("default_node_pool.upgrade_settings") and not get(
        "default_node_pool.upgrade_settings.max_surge"), 'The argument "max_surge" is required in upgrade_settings'),
    on(_AKS, VALIDATE, "default_node_pool.upgrade_settings.max_unavailable", refused(
        "`max_unavailable` cannot be set on the default node pool")),
    when(_POOL, VALIDATE, lambda get: get("upgrade_settings") and not (
        get("upgrade_settings.max_surge") or get("upgrade_settings.max_unavailable")),
        "one of `max_surge,max_unavailable` must be specified in upgrade_settings"),
    on(_AKS, VALIDATE, "default_node_pool.os_sku", one_of(*_OS_SKUS)),
    on(_POOL, VALIDATE, "os_sku", one_of(*_OS_SKUS)),
    on(_AKS, VALIDATE, "network_profile.load_balancer_sku", one_of("basic", "standard")),
    on(_AKS, VALIDATE, "identity.type", one_of("SystemAssigned", "UserAssigned")),
    on(_AKS, VALIDATE, "automatic_upgrade_channel", one_of("node-image", "patch", "rapid", "stable")),
    on(_AKS, VALIDATE, "auto_scaler_profile.expander", one_of("least-waste", "most-pods", "priority", "random")),
    on(_AKS, VALIDATE, "image_cleaner_interval_hours", between(24, 2160)),
    on(_AKS, VALIDATE, "maintenance_window_auto_upgrade.duration", between(4, 24)),
    on(_AKS, VALIDATE, "maintenance_window_node_os.duration", between(4, 24)),
    when(_AKS, VALIDATE, lambda get: get("kubelet_identity") and get("identity") is not None and not get(
        "identity.identity_ids"), "`kubelet_identity` needs `identity.0.identity_ids`"),
    when(_AKS, VALIDATE, lambda get: get("azure_active_directory_role_based_access_control") and not (
        get("azure_active_directory_role_based_access_control.tenant_id")
        or get("azure_active_directory_role_based_access_control.admin_group_object_ids")),
        "one of `tenant_id,admin_group_object_ids` must be specified in"
        " azure_active_directory_role_based_access_control"),
    when(_AKS, VALIDATE, lambda get: get("key_vault_secrets_provider") and not (
        get("key_vault_secrets_provider.secret_rotation_enabled") is not None
        or get("key_vault_secrets_provider.secret_rotation_interval")),
        "one of `secret_rotation_enabled,secret_rotation_interval` must be specified in key_vault_secrets_provider"),
    on(_AKS, VALIDATE, "default_node_pool.name", matching("[a-z][a-z0-9]{0,11}", "at most 12 lower-case letters and digits")),
    on(_POOL, VALIDATE, "name", matching("[a-z][a-z0-9]{0,11}", "at most 12 lower-case letters and digits")),
    on(_AKS, VALIDATE, "default_node_pool.temporary_name_for_rotation", matching(
        "[a-z][a-z0-9]{0,11}", "at most 12 lower-case letters and digits")),
    on(_POOL, VALIDATE, "temporary_name_for_rotation", matching(
        "[a-z][a-z0-9]{0,11}", "at most 12 lower-case letters and digits")),
    when(_AKS, PLAN, lambda get: get("network_profile.outbound_type") == "none" and get(
        "bootstrap_profile.artifact_source") != "Cache",
        "when `network_profile.outbound_type` is `none`, `bootstrap_profile.artifact_source` must be `Cache`"),
    when(_AKS, PLAN, lambda get: get("network_profile.advanced_networking") and get(
        "network_profile.network_data_plane") != "cilium",
        "`advanced_networking` can only be set when `network_data_plane` is `cilium`"),
    when(_AKS, APPLY, lambda get: get("workload_identity_enabled") and not get("oidc_issuer_enabled"),
         "`oidc_issuer_enabled` must be set to `true` to enable Azure AD Workload Identity"),
    when(_AKS, APPLY, lambda get: get("automatic_upgrade_channel") == "node-image" and get(
        "node_os_upgrade_channel") not in {None, "NodeImage"},
        "`node_os_upgrade_channel` must be set to `NodeImage` if `automatic_upgrade_channel` is `node-image`"),
    when(_AKS, APPLY, lambda get: not get("default_node_pool.auto_scaling_enabled") and (
        get("default_node_pool.min_count") or get("default_node_pool.max_count")),
        "`max_count` and `min_count` must be set to `null` when `auto_scaling_enabled` is set to `false`"),
    when(_POOL, APPLY, lambda get: not get("auto_scaling_enabled") and (get("min_count") or get("max_count")),
         "`max_count` and `min_count` must be set to `null` when `auto_scaling_enabled` is set to `false`"),
    when(_AKS, APPLY, lambda get: get("default_node_pool.auto_scaling_enabled") and not (
        get("default_node_pool.min_count") and get("default_node_pool.max_count")),
        "`max_count` and `min_count` must be configured when `auto_scaling_enabled` is set to `true`"),
    when(_AKS, APPLY, lambda get: get("default_node_pool.node_count") and get("default_node_pool.max_count") and not (
        (get("default_node_pool.min_count") or 0) <= get("default_node_pool.node_count")
        <= get("default_node_pool.max_count")), "`node_count` must be between `min_count` and `max_count`"),
    when(_AKS, APPLY, lambda get: get("network_profile.network_plugin") == "azure" and get(
        "network_profile.pod_cidr") and get("network_profile.network_plugin_mode") != "overlay",
        "`network_profile.pod_cidr` cannot be set with the azure plugin unless its mode is overlay"),
    when(_AKS, APPLY, lambda get: get("network_profile.service_cidr") and not get("network_profile.dns_service_ip"),
         "`dns_service_ip` and `service_cidr` should all be empty or both should be set"),
    when(_AKS, APPLY, lambda get: get("cost_analysis_enabled") and get("sku_tier") not in {"Standard", "Premium"},
         "`sku_tier` must be either `Standard` or `Premium` when `cost_analysis_enabled` is enabled"),
    when(_AKS, APPLY, lambda get: str(get("private_dns_zone_id") or "").startswith("/") and get(
        "identity.type") == "SystemAssigned",
        "a user assigned identity must be used when using a custom private dns zone"),
    when(_AKS, APPLY, lambda get: get("local_account_disabled") and get(
        "azure_active_directory_role_based_access_control") in (None, []),
        "BadRequest: Can not disable local accounts for a cluster without Azure Active Directory"),
    when(_AKS, APPLY, lambda get: get("network_profile.network_policy") == "cilium" and get(
        "network_profile.network_data_plane") != "cilium",
        "when the network policy is set to cilium, the network_data_plane field must be set to cilium"),
    when(_AKS, APPLY, lambda get: get("support_plan") == "AKSLongTermSupport" and get("sku_tier") != "Premium",
         "BadRequest: the long term support plan needs the Premium tier"),
    when(_AKS, APPLY, lambda get: get("private_cluster_enabled") and get(
        "api_server_access_profile.authorized_ip_ranges"),
        "BadRequest: a private cluster cannot have authorized IP ranges"),
    when(_POOL, APPLY, lambda get: get("eviction_policy") and get("priority") != "Spot",
         "`eviction_policy` can only be set when `priority` is set to `Spot`"),
    when(_POOL, APPLY, lambda get: (get("spot_max_price") or -1) != -1 and get("priority") != "Spot",
         "`spot_max_price` can only be set when `priority` is set to `Spot`"),
)  # fmt: skip

_REGISTRY_RULES = (
    on(_ACR, VALIDATE, "name", matching("[a-zA-Z0-9]{5,50}", "5 to 50 letters and digits")),
    *(
        when(_ACR, PLAN, lambda get, path=path: get(path) and get("sku") in {"Basic", "Standard"}, message)
        for path, message in _PREMIUM_ONLY.items()
    ),
    when(_ACR, PLAN, lambda get: get("anonymous_pull_enabled") and get("sku") == "Basic",
         "`anonymous_pull_enabled` can only be applied when using the Standard/Premium Sku"),
    when(_ACR, PLAN, lambda get: get("export_policy_enabled") is False and get(
        "public_network_access_enabled") is not False,
        "to disable export of artifacts, `public_network_access_enabled` must also be `false`"),
    when(_ACR, PLAN, lambda get: get("location") and get("location") in [
        item.get("location") for item in get("georeplications") or []],
        "the `georeplications` list cannot contain the location where the Container Registry exists"),
    when(_ACR, APPLY, lambda get: get("public_network_access_enabled") is False and get("sku") != "Premium",
         "`public_network_access_enabled` can only be disabled for a Premium Sku"),
    when(_ACR, APPLY, lambda get: get("network_rule_set") and get("sku") != "Premium",
         "`network_rule_set_set` can only be specified for a Premium Sku"),
)  # fmt: skip

_DATA_RULES = (
    on(_SECRET, VALIDATE, "value_wo", needs("value_wo_version")),
    on(_PG, VALIDATE, "administrator_password_wo", needs("administrator_password_wo_version")),
    on("azurerm_postgresql_flexible_server_database", VALIDATE, "collation", matching(
        r"(?!.*-)[A-Za-z0-9_.@]+", "write it as en_US.utf8")),
    on(_PG, VALIDATE, "sku_name", matching("(B|GP|MO)_.+", "it begins with B_, GP_ or MO_")),
    when(_PG, PLAN, lambda get: get("storage_tier") == "P4" and (get("storage_mb") or 0) >= 131072,
         'invalid "storage_tier" P4 for "storage_mb" of 131072 and more'),
    when(_PG, APPLY, lambda get: (get("authentication.password_auth_enabled") is False) and get("administrator_login"),
         "`administrator_login` and a password must not be set when `authentication.password_auth_enabled` is false"),
    when(_PG, APPLY, lambda get: get("high_availability") and str(get("sku_name")).startswith("B_"),
         "BadRequest: high availability is not supported on burstable servers"),
    when(_PG, APPLY, lambda get: get("delegated_subnet_id") and not get("private_dns_zone_id"),
         "`private_dns_zone_id` is required with `delegated_subnet_id`"),
    when(_VAULT, VALIDATE, lambda get: get("network_acls") and not get("network_acls.bypass"),
         'The argument "bypass" is required in network_acls'),
    on(_VAULT, VALIDATE, "name", matching("[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", "3 to 24 letters, digits, dashes")),
    *(
        on("azurerm_key_vault_access_policy", VALIDATE, f"{kind}_permissions", each(
            _lower_case, "permissions begin with a capital, as in Get"))
        for kind in ("secret", "key", "certificate", "storage")
    ),
    on(_SECRET, VALIDATE, "expiration_date", matching(r".+T\d\d:\d\d:\d\d(Z|[+-].+)", "a date with a time is needed")),
    on(_STORAGE, VALIDATE, "name", matching("[a-z0-9]{3,24}", "3 to 24 lower-case letters and digits")),
    *(
        on(of, VALIDATE, path, each(_public_address, "a public address, or a range of /30 or larger"))
        for of, path in (
            (_STORAGE, "network_rules.ip_rules"),
            ("azurerm_storage_account_network_rules", "ip_rules"),
        )
    ),
    when(_STORAGE, APPLY, lambda get: get("blob_properties.restore_policy") and not get(
        "blob_properties.change_feed_enabled"), "`change_feed_enabled` must be `true` when `restore_policy` is set"),
    when("azurerm_managed_disk", APPLY, lambda get: (
        get("disk_iops_read_write") or get("disk_mbps_read_write")) and get("storage_account_type") not in {
        "UltraSSD_LRS", "PremiumV2_LRS"},
        "[ERROR] disk_iops_read_write and disk_mbps_read_write are only available for UltraSSD disks and PremiumV2 disks"),
    when("azurerm_key_vault_key", APPLY, lambda get: str(get("key_type")).startswith("RSA") and not get("key_size"),
         "Key size is required when creating an RSA key"),
    on("azurerm_data_protection_backup_vault", VALIDATE, "retention_duration_in_days", between(14, 180)),
    *(
        on(policy, VALIDATE, "name", matching(r"[A-Za-z][-A-Za-z0-9]{2,149}", "3 to 150 letters, digits and dashes"))
        for policy in (
            "azurerm_data_protection_backup_policy_disk",
            "azurerm_data_protection_backup_policy_postgresql_flexible_server",
            "azurerm_backup_policy_file_share",
        )
    ),
)  # fmt: skip

_NETWORK_RULES = (
    on("azurerm_network_security_rule", VALIDATE, "protocol", one_of("*", "Ah", "Esp", "Icmp", "Tcp", "Udp")),
    on("azurerm_network_security_group", VALIDATE, "security_rule", each(
        lambda rule: rule.get("protocol") in {None, "*", "Ah", "Esp", "Icmp", "Tcp", "Udp"},
        "protocol is one of *, Ah, Esp, Icmp, Tcp, Udp")),
    on("azurerm_nat_gateway", VALIDATE, "sku_name", one_of("Standard")),
    on("azurerm_public_ip", VALIDATE, "sku", one_of("Basic", "Standard")),
    when("azurerm_public_ip", APPLY, lambda get: get("sku") != "Basic" and get("allocation_method") == "Dynamic",
         "Static IP Allocation must be used when creating Standard SKU Public IP Addresses."),
    *(
        when("azurerm_network_security_rule", APPLY,
             lambda get, one=f"{side}_{what}", many=f"{side}_{what}{ending}": get(one) and get(many),
             f"only one of `{side}_{what}` and `{side}_{what}{ending}` can be set")
        for side in ("source", "destination")
        for what, ending in (("address_prefix", "es"), ("port_range", "s"))
    ),
    when("azurerm_application_gateway", APPLY, lambda get: any(
        bool(probe.get("host")) == bool(probe.get("pick_host_name_from_backend_http_settings"))
        for probe in get("probe") or []),
        "one of `host` or `pick_host_name_from_backend_http_settings` must be set on a probe, and only one"),
)  # fmt: skip

_OTHER_RULES = (
    on("azurerm_federated_identity_credential", VALIDATE, "user_assigned_identity_id", refused(
        'An argument named "user_assigned_identity_id" is not expected here: use `parent_id`')),
    when("azurerm_federated_identity_credential", VALIDATE, lambda get: len(get("audience") or []) > 1,
         "Too many list items: attribute audience supports 1 item maximum"),
    on("azurerm_log_analytics_workspace", VALIDATE, "retention_in_days", between(30, 730)),
    on("azurerm_log_analytics_workspace", VALIDATE, "name", matching(
        "[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", "4 to 63 letters, digits and dashes")),
    when("azurerm_role_assignment", APPLY, lambda get: "|" in str(get("role_definition_id") or ""),
         "parsing the role definition id: use `role_definition_resource_id` of a custom role"),
    *(
        on(of, VALIDATE, "application_id", matching("/applications/[0-9a-f-]{36}", "it is /applications/<guid>, the id of the application"))
        for of in (
            "azuread_application_federated_identity_credential",
            "azuread_application_identifier_uri",
            "azuread_application_optional_claims",
            "azuread_application_password",
            "azuread_application_redirect_uris",
        )
    ),
    when("azuread_group", VALIDATE, lambda get: not (get("security_enabled") or get("mail_enabled")),
         "one of `mail_enabled,security_enabled` must be specified"),
    *(
        on(of, VALIDATE, path, each(
            lambda uri: str(uri).count("/") > 2 or "//" not in str(uri), "a URI without a path needs a trailing slash"))
        for of, path in (
            ("azuread_application", "web.redirect_uris"),
            ("azuread_application", "single_page_application.redirect_uris"),
            ("azuread_application_redirect_uris", "redirect_uris"),
        )
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (*_AKS_RULES, *_REGISTRY_RULES, *_DATA_RULES, *_NETWORK_RULES, *_OTHER_RULES)
