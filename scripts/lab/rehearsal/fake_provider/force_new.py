"""Attributes whose change makes the providers destroy and create again, which the schema does not say.

Read from azurerm 4.55.0's own resource definitions (``ForceNew`` and ``CustomizeDiff``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVERY_AZURE_TYPE = ("name", "location", "resource_group_name")

FORCE_NEW: dict[str, tuple[str, ...]] = {
    "azurerm_application_gateway": ("zones",),
    "azurerm_container_registry": ("zone_redundancy_enabled",),
    "azurerm_data_protection_backup_instance_disk": ("vault_id", "disk_id", "snapshot_resource_group_name"),
    "azurerm_data_protection_backup_policy_disk": (
        "vault_id",
        "backup_repeating_time_intervals",
        "default_retention_duration",
        "retention_rule",
        "time_zone",
    ),
    "azurerm_data_protection_backup_vault": ("datastore_type", "redundancy"),
    "azurerm_federated_identity_credential": ("parent_id",),
    "azurerm_key_vault_secret": ("key_vault_id",),
    "azurerm_kubernetes_cluster": (
        "default_node_pool.gpu_instance",
        "default_node_pool.name",
        "default_node_pool.node_public_ip_prefix_id",
        "disk_encryption_set_id",
        "dns_prefix",
        "dns_prefix_private_cluster",
        "kubelet_identity.user_assigned_identity_id",
        "network_profile.dns_service_ip",
        "network_profile.ip_versions",
        "network_profile.load_balancer_sku",
        "network_profile.network_mode",
        "network_profile.network_plugin",
        "network_profile.pod_cidr",
        "network_profile.service_cidr",
        "node_resource_group",
        "private_cluster_enabled",
        "private_dns_zone_id",
        "role_based_access_control_enabled",
    ),
    "azurerm_kubernetes_cluster_node_pool": (
        "eviction_policy",
        "gpu_driver",
        "gpu_instance",
        "kubernetes_cluster_id",
        "node_public_ip_prefix_id",
        "os_type",
        "priority",
        "proximity_placement_group_id",
        "spot_max_price",
    ),
    "azurerm_managed_disk": (
        "create_option",
        "hyper_v_generation",
        "image_reference_id",
        "logical_sector_size",
        "performance_plus_enabled",
        "security_type",
        "source_resource_id",
        "source_uri",
        "trusted_launch_enabled",
        "upload_size_bytes",
        "zone",
    ),
    "azurerm_management_lock": ("scope", "lock_level", "notes"),
    "azurerm_monitor_data_collection_rule_association": ("target_resource_id",),
    "azurerm_monitor_diagnostic_setting": ("target_resource_id",),
    "azurerm_nat_gateway": ("zones",),
    "azurerm_nat_gateway_public_ip_association": ("nat_gateway_id", "public_ip_address_id"),
    "azurerm_policy_definition": ("policy_type", "management_group_id"),
    "azurerm_postgresql_flexible_server": (
        "customer_managed_key",
        "delegated_subnet_id",
        "geo_redundant_backup_enabled",
        "point_in_time_restore_time_in_utc",
        "source_server_id",
    ),
    "azurerm_postgresql_flexible_server_active_directory_administrator": (
        "server_name",
        "object_id",
        "principal_name",
        "principal_type",
        "tenant_id",
    ),
    "azurerm_postgresql_flexible_server_configuration": ("server_id",),
    "azurerm_private_dns_a_record": ("zone_name",),
    "azurerm_private_dns_resolver": ("virtual_network_id",),
    "azurerm_private_dns_resolver_inbound_endpoint": ("private_dns_resolver_id", "ip_configurations"),
    "azurerm_private_dns_zone_virtual_network_link": ("private_dns_zone_name", "virtual_network_id"),
    "azurerm_private_endpoint": (
        "subnet_id",
        "custom_network_interface_name",
        "private_service_connection.name",
        "private_service_connection.is_manual_connection",
        "private_service_connection.private_connection_resource_id",
    ),
    "azurerm_public_ip": ("ip_version", "sku", "sku_tier", "public_ip_prefix_id", "ip_tags", "zones"),
    "azurerm_resource_group_policy_assignment": ("resource_group_id",),
    "azurerm_role_assignment": (
        "scope",
        "role_definition_id",
        "role_definition_name",
        "principal_id",
        "principal_type",
        "description",
        "condition",
        "condition_version",
    ),
    "azurerm_storage_account": (
        "account_tier",
        "dns_endpoint_type",
        "infrastructure_encryption_enabled",
        "is_hns_enabled",
        "nfsv3_enabled",
        "queue_encryption_key_type",
        "table_encryption_key_type",
    ),
    "azurerm_storage_container": ("name", "storage_account_id", "storage_account_name"),
    "azurerm_storage_share": ("storage_account_id", "enabled_protocol"),
    "azurerm_subnet": ("virtual_network_name",),
    "azurerm_subnet_nat_gateway_association": ("subnet_id", "nat_gateway_id"),
    "azurerm_subnet_network_security_group_association": ("subnet_id", "network_security_group_id"),
    "azuread_application_federated_identity_credential": ("application_id",),
    "azuread_app_role_assignment": ("app_role_id", "principal_object_id", "resource_object_id"),
    "azuread_service_principal": ("client_id",),
    "helm_release": ("name", "namespace"),
}

KUBERNETES = ("metadata.name", "metadata.namespace", "metadata.generate_name", "type", "storage_class_name")

Change = Callable[[Any, Any], bool]


def shrinks(before: Any, after: Any) -> bool:
    """Tell whether a number becomes smaller."""
    return before is not None and after is not None and float(after) < float(before)


def _was_set(before: Any, after: Any) -> bool:
    del after
    return bool(before)


def _leaves_updatable_images(before: Any, after: Any) -> bool:
    def updatable(sku: Any) -> bool:
        return str(sku).startswith(("Ubuntu", "AzureLinux"))

    return not (updatable(before) and updatable(after))


# Replaced only where the change goes a certain way.
FORCE_NEW_IF: dict[tuple[str, str], Change] = {
    ("azurerm_kubernetes_cluster", "network_profile.network_data_plane"): _was_set,
    ("azurerm_kubernetes_cluster", "network_profile.network_policy"): _was_set,
    ("azurerm_kubernetes_cluster", "network_profile.network_plugin_mode"): lambda _old, new: new != "overlay",
    ("azurerm_kubernetes_cluster_node_pool", "os_sku"): _leaves_updatable_images,
    ("azurerm_postgresql_flexible_server", "administrator_login"): _was_set,
    ("azurerm_postgresql_flexible_server", "storage_mb"): shrinks,
    ("azurerm_postgresql_flexible_server", "version"): shrinks,
    ("azurerm_data_protection_backup_vault", "cross_region_restore_enabled"): _was_set,
}
