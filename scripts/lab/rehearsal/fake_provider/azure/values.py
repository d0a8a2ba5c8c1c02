"""What Azure and Entra answer for attributes that nobody configures, per resource type.

Templates see the resource's own attributes and ``{subscription} {tenant} {group}`` and ``{guid} {hex} {word} {key}``,
which are made up per object and life: a re-created object has the same id and new ones of these,
as in Azure. Whatever is not listed gets a value by its name (``computed.py``).
"""

from __future__ import annotations

from .ids import CALLER
from .storage import storage_account_values

_HOST = "https://{fqdn}:443"

# Order matters within a type: later templates may use earlier results.
VALUES: dict[str, dict[str, str]] = {
    "azurerm_container_registry": {
        "login_server": "{name}.azurecr.io",
        "data_endpoint_host_names": "{name}.{location}.data.azurecr.io",
        "admin_username": "",
        "admin_password": "",
    },
    "azurerm_key_vault": {"vault_uri": "https://{name}.vault.azure.net/"},
    "azurerm_key_vault_secret": {
        "versionless_id": "https://{key_vault_id|name}.vault.azure.net/secrets/{name}",
        "resource_id": "{key_vault_id}/secrets/{name}/versions/{version}",
        "resource_versionless_id": "{key_vault_id}/secrets/{name}",
    },
    "azurerm_kubernetes_cluster": {
        "fqdn": "{dns_prefix}-{word}.hcp.{location}.azmk8s.io",
        "private_fqdn": "{dns_prefix}-{word}.privatelink.{location}.azmk8s.io",
        "portal_fqdn": "{dns_prefix}-{word}.portal.hcp.{location}.azmk8s.io",
        "node_resource_group": "MC_{resource_group_name}_{name}_{location}",
        "node_resource_group_id": "/subscriptions/{subscription}/resourceGroups/{node_resource_group}",
        "oidc_issuer_url": "https://{location}.oic.prod-aks.azure.com/{tenant}/{guid}/",
        "current_kubernetes_version": "{kubernetes_version}",
        "kube_config_raw": "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:\n    server: "
        + _HOST
        + "\n",
        "host": _HOST,
        "username": "clusterUser_{resource_group_name}_{name}",
        "effective_outbound_ips": "{node_resource_group_id}/providers/Microsoft.Network/publicIPAddresses/{guid}",
        "user_assigned_identity_id": (
            "{node_resource_group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{attribute}-{name}"
        ),
    },
    "azurerm_log_analytics_workspace": {
        "workspace_id": "{guid}",
        "primary_shared_key": "{key}",
        "secondary_shared_key": "{key}",
    },
    "azurerm_managed_disk": {"source_uri": "", "tier": ""},
    "azurerm_monitor_data_collection_rule": {"immutable_id": "dcr-{hex}"},
    "azurerm_nat_gateway": {"resource_guid": "{guid}"},
    "azurerm_policy_definition": {"metadata": "{}"},
    "azurerm_monitor_workspace": {
        "query_endpoint": "https://{name}-{word}.{location}.prometheus.monitor.azure.com",
    },
    "azurerm_postgresql_flexible_server": {
        "private_dns_zone_id": "",
        "storage_tier": "P4",
        "fqdn": "{name}.postgres.database.azure.com",
    },
    "azurerm_private_dns_a_record": {"fqdn": "{name}.{zone_name}."},
    "azurerm_private_dns_zone_virtual_network_link": {"resolution_policy": "Default"},
    "azurerm_public_ip": {"fqdn": "{domain_name_label}.{location}.cloudapp.azure.com"},
    "azurerm_storage_account": storage_account_values(),
    "azurerm_resource_group_policy_assignment": {"metadata": "{}"},
    "azurerm_storage_container": {
        "resource_manager_id": "{storage_account_id}/blobServices/default/containers/{name}",
        "default_encryption_scope": "$account-encryption-key",
    },
    "azurerm_storage_share": {
        "url": "https://{storage_account_id|name}.file.core.windows.net/{name}",
        "access_tier": "TransactionOptimized",
    },
    "azuread_application": {"client_id": "{guid}"},
    "azurerm_client_config": {"client_id": CALLER, "object_id": CALLER, "id": "{subscription}"},
    "azuread_client_config": {"client_id": CALLER, "object_id": CALLER, "id": "{tenant}"},
}

# Attributes whose value the service changes when something else changes: (type) -> {trigger: attributes}.
RECOMPUTED: dict[str, dict[str, tuple[str, ...]]] = {
    "azurerm_key_vault_secret": {
        "value": ("id", "version", "resource_id"),
        "value_wo_version": ("id", "version", "resource_id"),
    },
    "azurerm_kubernetes_cluster": {
        "oidc_issuer_enabled": ("oidc_issuer_url",),
        "kubernetes_version": ("current_kubernetes_version",),
    },
    "azurerm_public_ip": {"domain_name_label": ("fqdn",)},
}

# Blocks that the service fills in when the configuration leaves them out. Terraform lets only providers of the older
# kind (those that declare the legacy type system) answer with blocks nobody wrote.
COMPUTED_BLOCKS: dict[str, tuple[str, ...]] = {
    "azurerm_kubernetes_cluster": ("kubelet_identity", "network_profile"),
}

# Built-in roles by name; others get a made-up definition id.
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
}

_SURGE = {
    "drain_timeout_in_minutes": None,
    "max_surge": "10%",
    "node_soak_duration_in_minutes": None,
    "undrainable_node_behavior": None,
}

# What the service sets where the configuration is silent, seen only at the next read: the differences that the real
# provider shows on every plan until the configuration states them. (type, attribute) -> value.
DRIFT: dict[tuple[str, str], object] = {
    ("azurerm_kubernetes_cluster_node_pool", "upgrade_settings"): [{**_SURGE, "max_unavailable": None}],
    ("azurerm_kubernetes_cluster", "default_node_pool.upgrade_settings"): [_SURGE],
    ("azurerm_postgresql_flexible_server", "zone"): "1",
    # azurerm 4.55.0, internal/services/storage/storage_account_resource.go:3207 sends empty texts for what is left out,
    # :3231 reads what a premium account answers to them; seen with both.
    ("azurerm_storage_account", "share_properties.smb"): [
        {
            "authentication_types": [],
            "channel_encryption_type": [],
            "kerberos_ticket_encryption_type": [],
            "multichannel_enabled": False,
            "versions": [],
        }
    ],
}
SPOT_LABEL = "kubernetes.azure.com/scalesetpriority"
