"""What azurerm and Azure refuse about AKS clusters."""

from __future__ import annotations

from .checks import APPLY, PLAN, VALIDATE, Rule, between, on, one_of, refused, when
from .node_pools import OS_SKUS, POOL_NAME

_AKS = "azurerm_kubernetes_cluster"

RULES: tuple[Rule, ...] = (
    when(
        _AKS,
        VALIDATE,
        lambda get: get("default_node_pool.min_count") == 0,
        "expected default_node_pool.0.min_count to be in the range (1 - 1000), got 0",
    ),
    on(
        _AKS,
        VALIDATE,
        "default_node_pool.node_taints",
        refused("`node_taints` cannot be set on the default node pool: use `only_critical_addons_enabled`"),
    ),
    when(
        _AKS,
        VALIDATE,
        lambda get: (
            get("default_node_pool.upgrade_settings") and not get("default_node_pool.upgrade_settings.max_surge")
        ),
        'The argument "max_surge" is required in upgrade_settings',
    ),
    on(
        _AKS,
        VALIDATE,
        "default_node_pool.upgrade_settings.max_unavailable",
        refused("`max_unavailable` cannot be set on the default node pool"),
    ),
    on(_AKS, VALIDATE, "default_node_pool.os_sku", one_of(*OS_SKUS)),
    on(_AKS, VALIDATE, "network_profile.load_balancer_sku", one_of("basic", "standard")),
    on(_AKS, VALIDATE, "identity.type", one_of("SystemAssigned", "UserAssigned")),
    on(_AKS, VALIDATE, "automatic_upgrade_channel", one_of("node-image", "patch", "rapid", "stable")),
    on(_AKS, VALIDATE, "auto_scaler_profile.expander", one_of("least-waste", "most-pods", "priority", "random")),
    on(_AKS, VALIDATE, "image_cleaner_interval_hours", between(24, 2160)),
    on(_AKS, VALIDATE, "maintenance_window_auto_upgrade.duration", between(4, 24)),
    on(_AKS, VALIDATE, "maintenance_window_node_os.duration", between(4, 24)),
    when(
        _AKS,
        VALIDATE,
        lambda get: get("kubelet_identity") and get("identity") is not None and not get("identity.identity_ids"),
        "`kubelet_identity` needs `identity.0.identity_ids`",
    ),
    when(
        _AKS,
        VALIDATE,
        lambda get: (
            get("azure_active_directory_role_based_access_control")
            and not (
                get("azure_active_directory_role_based_access_control.tenant_id")
                or get("azure_active_directory_role_based_access_control.admin_group_object_ids")
            )
        ),
        "one of `tenant_id,admin_group_object_ids` must be specified in"
        " azure_active_directory_role_based_access_control",
    ),
    when(
        _AKS,
        VALIDATE,
        lambda get: (
            get("key_vault_secrets_provider")
            and not (
                get("key_vault_secrets_provider.secret_rotation_enabled") is not None
                or get("key_vault_secrets_provider.secret_rotation_interval")
            )
        ),
        "one of `secret_rotation_enabled,secret_rotation_interval` must be specified in key_vault_secrets_provider",
    ),
    on(_AKS, VALIDATE, "default_node_pool.name", POOL_NAME),
    on(_AKS, VALIDATE, "default_node_pool.temporary_name_for_rotation", POOL_NAME),
    when(
        _AKS,
        PLAN,
        lambda get: (
            get("network_profile.outbound_type") == "none" and get("bootstrap_profile.artifact_source") != "Cache"
        ),
        "when `network_profile.outbound_type` is `none`, `bootstrap_profile.artifact_source` must be `Cache`",
    ),
    when(
        _AKS,
        PLAN,
        lambda get: (
            get("network_profile.advanced_networking") and get("network_profile.network_data_plane") != "cilium"
        ),
        "`advanced_networking` can only be set when `network_data_plane` is `cilium`",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: get("workload_identity_enabled") and not get("oidc_issuer_enabled"),
        "`oidc_issuer_enabled` must be set to `true` to enable Azure AD Workload Identity",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("automatic_upgrade_channel") == "node-image"
            and get("node_os_upgrade_channel") not in {None, "NodeImage"}
        ),
        "`node_os_upgrade_channel` must be set to `NodeImage` if `automatic_upgrade_channel` is `node-image`",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            not get("default_node_pool.auto_scaling_enabled")
            and (get("default_node_pool.min_count") or get("default_node_pool.max_count"))
        ),
        "`max_count` and `min_count` must be set to `null` when `auto_scaling_enabled` is set to `false`",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("default_node_pool.auto_scaling_enabled")
            and not (get("default_node_pool.min_count") and get("default_node_pool.max_count"))
        ),
        "`max_count` and `min_count` must be configured when `auto_scaling_enabled` is set to `true`",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("default_node_pool.node_count")
            and get("default_node_pool.max_count")
            and not (
                (get("default_node_pool.min_count") or 0)
                <= get("default_node_pool.node_count")
                <= get("default_node_pool.max_count")
            )
        ),
        "`node_count` must be between `min_count` and `max_count`",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("network_profile.network_plugin") == "azure"
            and get("network_profile.pod_cidr")
            and get("network_profile.network_plugin_mode") != "overlay"
        ),
        "`network_profile.pod_cidr` cannot be set with the azure plugin unless its mode is overlay",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: get("network_profile.service_cidr") and not get("network_profile.dns_service_ip"),
        "`dns_service_ip` and `service_cidr` should all be empty or both should be set",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: get("cost_analysis_enabled") and get("sku_tier") not in {"Standard", "Premium"},
        "`sku_tier` must be either `Standard` or `Premium` when `cost_analysis_enabled` is enabled",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: str(get("private_dns_zone_id") or "").startswith("/") and get("identity.type") == "SystemAssigned",
        "a user assigned identity must be used when using a custom private dns zone",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("local_account_disabled") and get("azure_active_directory_role_based_access_control") in (None, [])
        ),
        "BadRequest: Can not disable local accounts for a cluster without Azure Active Directory",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: (
            get("network_profile.network_policy") == "cilium" and get("network_profile.network_data_plane") != "cilium"
        ),
        "when the network policy is set to cilium, the network_data_plane field must be set to cilium",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: get("support_plan") == "AKSLongTermSupport" and get("sku_tier") != "Premium",
        "BadRequest: the long term support plan needs the Premium tier",
    ),
    when(
        _AKS,
        APPLY,
        lambda get: get("private_cluster_enabled") and get("api_server_access_profile.authorized_ip_ranges"),
        "BadRequest: a private cluster cannot have authorized IP ranges",
    ),
)
