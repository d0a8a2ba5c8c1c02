"""The ids Azure gives: where each resource type lives, and what makes one unique.

Templates are filled from the resource's own arguments; ``{group}`` is its resource group's id and ``{guid}`` a name
the service makes up. Real forms, so that ids of parents and children chain as they do in Azure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..templates import fill_template

SUBSCRIPTION = "00000000-5eed-4000-8000-000000000001"
TENANT = "00000000-5eed-4000-8000-00000000000a"
CALLER = "00000000-5eed-4000-8000-0000000000ca"

_NET = "{group}/providers/Microsoft.Network"
_AUTH = "{scope}/providers/Microsoft.Authorization"

TEMPLATES = {
    "azurerm_application_gateway": _NET + "/applicationGateways/{name}",
    "azurerm_consumption_budget_subscription": "{subscription_id}/providers/Microsoft.Consumption/budgets/{name}",
    "azurerm_container_registry": "{group}/providers/Microsoft.ContainerRegistry/registries/{name}",
    "azurerm_data_protection_backup_instance_disk": "{vault_id}/backupInstances/{name}",
    "azurerm_data_protection_backup_policy_disk": "{vault_id}/backupPolicies/{name}",
    "azurerm_data_protection_backup_vault": "{group}/providers/Microsoft.DataProtection/backupVaults/{name}",
    "azurerm_federated_identity_credential": "{parent_id}/federatedIdentityCredentials/{name}",
    "azurerm_dns_cname_record": _NET + "/dnsZones/{zone_name}/CNAME/{name}",
    "azurerm_key_vault": "{group}/providers/Microsoft.KeyVault/vaults/{name}",
    "azurerm_key_vault_secret": "https://{key_vault_id|name}.vault.azure.net/secrets/{name}/{version}",
    "azurerm_kubernetes_cluster": "{group}/providers/Microsoft.ContainerService/managedClusters/{name}",
    "azurerm_kubernetes_cluster_node_pool": "{kubernetes_cluster_id}/agentPools/{name}",
    "azurerm_log_analytics_workspace": "{group}/providers/Microsoft.OperationalInsights/workspaces/{name}",
    "azurerm_managed_disk": "{group}/providers/Microsoft.Compute/disks/{name}",
    "azurerm_management_lock": _AUTH + "/locks/{name}",
    "azurerm_monitor_action_group": "{group}/providers/Microsoft.Insights/actionGroups/{name}",
    "azurerm_monitor_alert_prometheus_rule_group": (
        "{group}/providers/Microsoft.AlertsManagement/prometheusRuleGroups/{name}"
    ),
    "azurerm_monitor_data_collection_endpoint": ("{group}/providers/Microsoft.Insights/dataCollectionEndpoints/{name}"),
    "azurerm_monitor_data_collection_rule": "{group}/providers/Microsoft.Insights/dataCollectionRules/{name}",
    "azurerm_monitor_data_collection_rule_association": (
        "{target_resource_id}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{name}"
    ),
    "azurerm_monitor_diagnostic_setting": "{target_resource_id}|{name}",
    "azurerm_monitor_metric_alert": "{group}/providers/Microsoft.Insights/metricAlerts/{name}",
    "azurerm_monitor_workspace": "{group}/providers/Microsoft.Monitor/accounts/{name}",
    "azurerm_nat_gateway": _NET + "/natGateways/{name}",
    "azurerm_nat_gateway_public_ip_association": "{nat_gateway_id}|{public_ip_address_id}",
    "azurerm_network_security_group": _NET + "/networkSecurityGroups/{name}",
    "azurerm_policy_definition": (
        "/subscriptions/{subscription}/providers/Microsoft.Authorization/policyDefinitions/{name}"
    ),
    "azurerm_postgresql_flexible_server": "{group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{name}",
    "azurerm_postgresql_flexible_server_active_directory_administrator": (
        "{group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{server_name}/administrators/{object_id}"
    ),
    "azurerm_postgresql_flexible_server_configuration": "{server_id}/configurations/{name}",
    "azurerm_private_dns_a_record": _NET + "/privateDnsZones/{zone_name}/A/{name}",
    "azurerm_private_dns_resolver": _NET + "/dnsResolvers/{name}",
    "azurerm_private_dns_resolver_inbound_endpoint": "{private_dns_resolver_id}/inboundEndpoints/{name}",
    "azurerm_private_dns_zone": _NET + "/privateDnsZones/{name}",
    "azurerm_private_dns_zone_virtual_network_link": (
        _NET + "/privateDnsZones/{private_dns_zone_name}/virtualNetworkLinks/{name}"
    ),
    "azurerm_private_endpoint": _NET + "/privateEndpoints/{name}",
    "azurerm_public_ip": _NET + "/publicIPAddresses/{name}",
    "azurerm_resource_group": "/subscriptions/{subscription}/resourceGroups/{name}",
    "azurerm_resource_group_policy_assignment": (
        "{resource_group_id}/providers/Microsoft.Authorization/policyAssignments/{name}"
    ),
    "azurerm_role_assignment": _AUTH + "/roleAssignments/{name}",
    "azurerm_storage_account": "{group}/providers/Microsoft.Storage/storageAccounts/{name}",
    "azurerm_storage_container": "{storage_account_id}/blobServices/default/containers/{name}",
    "azurerm_storage_share": "{storage_account_id}/fileServices/default/shares/{name}",
    "azurerm_subnet": _NET + "/virtualNetworks/{virtual_network_name}/subnets/{name}",
    "azurerm_subnet_nat_gateway_association": "{subnet_id}",
    "azurerm_subnet_network_security_group_association": "{subnet_id}",
    "azurerm_user_assigned_identity": "{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
    "azurerm_virtual_network": _NET + "/virtualNetworks/{name}",
    "azurerm_web_application_firewall_policy": (_NET + "/applicationGatewayWebApplicationFirewallPolicies/{name}"),
}

# What Azure keeps unique where that is not the id: a second one of these is a conflict even under another name.
_UNIQUE = {
    "azurerm_role_assignment": "{scope}|{role_definition_id|name}|{principal_id}",
    "azurerm_key_vault_secret": "{key_vault_id}/secrets/{name}",
}

# Names that must be free in the whole of Azure, not only in their resource group.
_GLOBAL_NAMES = {
    "azurerm_container_registry",
    "azurerm_key_vault",
    "azurerm_postgresql_flexible_server",
    "azurerm_storage_account",
}

# Types that stand for a link or a setting; their id lies where something else does.
ATTACHMENTS = frozenset(
    {
        "azurerm_monitor_diagnostic_setting",
        "azurerm_nat_gateway_public_ip_association",
        "azurerm_subnet_nat_gateway_association",
        "azurerm_subnet_network_security_group_association",
    }
)

# Types whose id changes with every new version of their content.
VERSIONED = frozenset({"azurerm_key_vault_secret"})

# Names that the service or the provider makes up when the configuration gives none.
MADE_UP_NAMES = {
    "azurerm_role_assignment": "name",
}


def resource_id(type_name: str, facts: Mapping[str, Any]) -> str:
    """Return the id Azure gives a resource with these arguments."""
    fallback = "{group}/providers/Rehearsal." + type_name.removeprefix("azurerm_") + "/{name}"
    return fill_template(TEMPLATES.get(type_name, fallback), facts)


def unique_key(type_name: str, object_id: str, facts: Mapping[str, Any]) -> str:
    """Return what may exist only once."""
    if type_name in _GLOBAL_NAMES:
        return f"{type_name}|{str(facts.get('name')).lower()}"
    if type_name in _UNIQUE:
        return f"{type_name}|{fill_template(_UNIQUE[type_name], facts).lower()}"
    return f"{type_name}|{object_id.lower()}"


# Kinds of parents that are resources themselves, by their part of an id.
_PARENTS = frozenset(
    (
        "backupvaults",
        "disks",
        "flexibleservers",
        "managedclusters",
        "privatednszones",
        "registries",
        "storageaccounts",
        "userassignedidentities",
        "vaults",
        "virtualnetworks",
    )
)


def group_id(object_id: str) -> str:
    """Return the resource group's id in an id, empty where it lies in none."""
    parts = object_id.split("/")
    inside = len(parts) > 4 and parts[1].lower() == "subscriptions" and parts[3].lower() == "resourcegroups"
    return "/".join(parts[:5]) if inside else ""


def parent_ids(object_id: str) -> list[str]:
    """Return the ids of the resources that must exist before this one can, outermost first."""
    group = group_id(object_id)
    if not group:
        return []
    rest = object_id.partition("|")[0].split("/")[5:]
    found, prefix = [group], group
    while rest:
        if rest[0].lower() == "providers":
            prefix, rest = "/".join([prefix, *rest[:2]]), rest[2:]
            continue
        prefix, kind, rest = "/".join([prefix, *rest[:2]]), rest[0].lower(), rest[2:]
        if rest and kind in _PARENTS:
            found.append(prefix)
    return [parent for parent in found if parent.lower() != object_id.lower()]
