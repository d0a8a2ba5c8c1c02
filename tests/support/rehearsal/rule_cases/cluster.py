"""Cases for the rules about clusters and their node pools."""

from __future__ import annotations

from typing import Any

from scripts.lab.rehearsal.fake_provider.protocol.values import UNKNOWN
from scripts.lab.rehearsal.fake_provider.rules.checks import APPLY, PLAN, VALIDATE

from .case import Case

AKS = "azurerm_kubernetes_cluster"
POOL = "azurerm_kubernetes_cluster_node_pool"
ENTRA = "azure_active_directory_role_based_access_control"


def pool(**arguments: Any) -> dict[str, Any]:
    return {"default_node_pool": [arguments]}


def network(**arguments: Any) -> dict[str, Any]:
    return {"network_profile": [arguments]}


CASES: list[Case] = [
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
]
