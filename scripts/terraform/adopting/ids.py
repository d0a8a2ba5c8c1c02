"""What `terraform import` calls the resources in use, made from the arguments that a plan knows.

Names are the same whenever an environment is synthesized (decision 0005), so most ids follow from them. The forms are
those of each resource's page at https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs.
"""

import re
from collections.abc import Mapping
from typing import Any

_GROUP = "/subscriptions/{subscription}/resourceGroups/{resource_group_name}/providers/"
_NET = _GROUP + "Microsoft.Network/"
_INSIGHTS = _GROUP + "Microsoft.Insights/"
_AUTH = "{scope}/providers/Microsoft.Authorization/"

_AZURE = {
    "application_gateway": _NET + "applicationGateways/{name}",
    "consumption_budget_subscription": "{subscription_id}/providers/Microsoft.Consumption/budgets/{name}",
    "container_registry": _GROUP + "Microsoft.ContainerRegistry/registries/{name}",
    "data_protection_backup_instance_disk": "{vault_id}/backupInstances/{name}",
    "data_protection_backup_policy_disk": "{vault_id}/backupPolicies/{name}",
    "data_protection_backup_vault": _GROUP + "Microsoft.DataProtection/backupVaults/{name}",
    "federated_identity_credential": "{parent_id}/federatedIdentityCredentials/{name}",
    "dns_cname_record": _NET + "dnsZones/{zone_name}/CNAME/{name}",
    "key_vault": _GROUP + "Microsoft.KeyVault/vaults/{name}",
    "kubernetes_cluster": _GROUP + "Microsoft.ContainerService/managedClusters/{name}",
    "kubernetes_cluster_node_pool": "{kubernetes_cluster_id}/agentPools/{name}",
    "log_analytics_workspace": _GROUP + "Microsoft.OperationalInsights/workspaces/{name}",
    "managed_disk": _GROUP + "Microsoft.Compute/disks/{name}",
    "management_lock": _AUTH + "locks/{name}",
    "monitor_action_group": _INSIGHTS + "actionGroups/{name}",
    "monitor_alert_prometheus_rule_group": _GROUP + "Microsoft.AlertsManagement/prometheusRuleGroups/{name}",
    "monitor_data_collection_endpoint": _INSIGHTS + "dataCollectionEndpoints/{name}",
    "monitor_data_collection_rule": _INSIGHTS + "dataCollectionRules/{name}",
    "monitor_data_collection_rule_association": (
        "{target_resource_id}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{name}"
    ),
    "monitor_diagnostic_setting": "{target_resource_id}|{name}",
    "monitor_metric_alert": _INSIGHTS + "metricAlerts/{name}",
    "monitor_workspace": _GROUP + "Microsoft.Monitor/accounts/{name}",
    "nat_gateway": _NET + "natGateways/{name}",
    "nat_gateway_public_ip_association": "{nat_gateway_id}|{public_ip_address_id}",
    "network_security_group": _NET + "networkSecurityGroups/{name}",
    "policy_definition": "/subscriptions/{subscription}/providers/Microsoft.Authorization/policyDefinitions/{name}",
    "postgresql_flexible_server": _GROUP + "Microsoft.DBforPostgreSQL/flexibleServers/{name}",
    "postgresql_flexible_server_active_directory_administrator": (
        _GROUP + "Microsoft.DBforPostgreSQL/flexibleServers/{server_name}/administrators/{object_id}"
    ),
    "postgresql_flexible_server_configuration": "{server_id}/configurations/{name}",
    "private_dns_a_record": _NET + "privateDnsZones/{zone_name}/A/{name}",
    "private_dns_resolver": _NET + "dnsResolvers/{name}",
    "private_dns_resolver_inbound_endpoint": "{private_dns_resolver_id}/inboundEndpoints/{name}",
    "private_dns_zone": _NET + "privateDnsZones/{name}",
    "private_dns_zone_virtual_network_link": (
        _NET + "privateDnsZones/{private_dns_zone_name}/virtualNetworkLinks/{name}"
    ),
    "private_endpoint": _NET + "privateEndpoints/{name}",
    "public_ip": _NET + "publicIPAddresses/{name}",
    "resource_group": "/subscriptions/{subscription}/resourceGroups/{name}",
    "resource_group_policy_assignment": (
        "{resource_group_id}/providers/Microsoft.Authorization/policyAssignments/{name}"
    ),
    "storage_account": _GROUP + "Microsoft.Storage/storageAccounts/{name}",
    "storage_container": "{storage_account_id}/blobServices/default/containers/{name}",
    "storage_share": "{storage_account_id}/fileServices/default/shares/{name}",
    "subnet": _NET + "virtualNetworks/{virtual_network_name}/subnets/{name}",
    "subnet_nat_gateway_association": "{subnet_id}",
    "subnet_network_security_group_association": "{subnet_id}",
    "user_assigned_identity": _GROUP + "Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
    "virtual_network": _NET + "virtualNetworks/{name}",
    "web_application_firewall_policy": _NET + "applicationGatewayWebApplicationFirewallPolicies/{name}",
}
_HOLE = re.compile(r"\{(\w+)\}")


def from_names(type_: str, known: Mapping[str, Any], subscription: str) -> str | None:
    """Return the import id of a resource whose arguments `known` are planned; None as long as one of them is not known.

    Raises KeyError for a type whose ids do not follow from names: those have to be looked up.
    """
    provider, _, kind = type_.partition("_")
    if provider == "helm":
        return _joined(known.get("namespace") or "default", known.get("name"))
    if provider == "kubernetes":
        metadata = (known.get("metadata") or [{}])[0]
        name = metadata.get("name") or ("default" if kind == "default_service_account_v1" else None)
        return _joined(metadata["namespace"], name) if "namespace" in metadata else name
    if provider != "azurerm":
        raise KeyError(type_)
    values = {**known, "subscription": subscription}
    template = _AZURE[kind]
    if any(not values.get(hole) for hole in _HOLE.findall(template)):
        return None
    return template.format_map({name: str(value) for name, value in values.items()})


def _joined(namespace: Any, name: Any) -> str | None:
    return f"{namespace}/{name}" if namespace and name else None
