"""What each kind of resource needs of whoever deploys it: rights in the directory, and actions in Azure.

The page docs/reference/permissions.md prints these tables, and `permissions.py` and `directory.py` compare them with
what a login has.

Sources. Directory: the section "API Permissions" of each azuread 3.7 resource, with Microsoft Graph's reference for
the grant, whose least right the provider's page does not name
(https://learn.microsoft.com/graph/api/oauth2permissiongrant-post). Azure: the actions of each resource provider
(https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations) and of the built-in roles.
"""

from dataclasses import dataclass

OWNED = "Application.ReadWrite.OwnedBy"
READ_APPLICATIONS = "Application.Read.All"
ASSIGN_ROLES = "AppRoleAssignment.ReadWrite.All"
CREATE_GROUPS = "Group.Create"
GRANT = "DelegatedPermissionGrant.ReadWrite.All"


@dataclass(frozen=True)
class DirectoryRight:
    """What one kind of azuread resource needs."""

    type: str
    does: str
    program: tuple[str, ...]
    """Microsoft Graph application permissions of a pipeline's identity, all of them."""
    person: str
    """Role in the directory of a person who deploys; empty where every member may."""


DIRECTORY: tuple[DirectoryRight, ...] = (
    DirectoryRight("azuread_application", "the application", (OWNED,), "Application Developer"),
    DirectoryRight("azuread_application_identifier_uri", "its identifier", (OWNED,), "Application Developer"),
    DirectoryRight("azuread_application_pre_authorized", "the Azure CLI's access", (OWNED,), "Application Developer"),
    DirectoryRight(
        "azuread_application_federated_identity_credential",
        "the logins of workloads (stack aks)",
        (OWNED,),
        "Application Developer",
    ),
    DirectoryRight("azuread_service_principal", "its service principal", (OWNED,), "Application Developer"),
    DirectoryRight(
        "azuread_group", "the access groups, of the chat and of Opik", (CREATE_GROUPS,), "Groups Administrator"
    ),
    DirectoryRight(
        "azuread_app_role_assignment",
        "who may log in",
        (ASSIGN_ROLES, READ_APPLICATIONS),
        "Cloud Application Administrator",
    ),
    DirectoryRight(
        "azuread_service_principal_delegated_permission_grant",
        "the consent for everybody",
        (GRANT, READ_APPLICATIONS),
        "Cloud Application Administrator",
    ),
    DirectoryRight("data.azuread_service_principal", "Microsoft Graph's own id", (READ_APPLICATIONS,), ""),
    DirectoryRight("data.azuread_client_config", "who deploys", (), ""),
)


def program_rights() -> list[str]:
    """Return the Graph application permissions that a pipeline's identity needs for all of it."""
    return sorted({right for entry in DIRECTORY for right in entry.program})


CONTRIBUTOR = "Contributor"
ACCESS = "User Access Administrator"
SECRETS = "Key Vault Secrets Officer"
"""Given by the stack `database` itself to operators.object_ids, or to the first deployer."""

AZURE: dict[str, tuple[str, str]] = {
    "azurerm_application_gateway": ("Microsoft.Network/applicationGateways/write", CONTRIBUTOR),
    "azurerm_consumption_budget_subscription": ("Microsoft.Consumption/budgets/write", CONTRIBUTOR),
    "azurerm_container_registry": ("Microsoft.ContainerRegistry/registries/write", CONTRIBUTOR),
    "azurerm_data_protection_backup_instance_disk": (
        "Microsoft.DataProtection/backupVaults/backupInstances/write",
        CONTRIBUTOR,
    ),
    "azurerm_data_protection_backup_policy_disk": (
        "Microsoft.DataProtection/backupVaults/backupPolicies/write",
        CONTRIBUTOR,
    ),
    "azurerm_data_protection_backup_vault": ("Microsoft.DataProtection/backupVaults/write", CONTRIBUTOR),
    "azurerm_dns_cname_record": ("Microsoft.Network/dnsZones/CNAME/write", CONTRIBUTOR),
    "azurerm_federated_identity_credential": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        CONTRIBUTOR,
    ),
    "azurerm_key_vault": ("Microsoft.KeyVault/vaults/write", CONTRIBUTOR),
    "azurerm_key_vault_secret": ("Microsoft.KeyVault/vaults/secrets/setSecret/action", SECRETS),
    "azurerm_kubernetes_cluster": ("Microsoft.ContainerService/managedClusters/write", CONTRIBUTOR),
    "azurerm_kubernetes_cluster_node_pool": (
        "Microsoft.ContainerService/managedClusters/agentPools/write",
        CONTRIBUTOR,
    ),
    "azurerm_log_analytics_workspace": ("Microsoft.OperationalInsights/workspaces/write", CONTRIBUTOR),
    "azurerm_managed_disk": ("Microsoft.Compute/disks/write", CONTRIBUTOR),
    "azurerm_management_lock": ("Microsoft.Authorization/locks/write", ACCESS),
    "azurerm_monitor_data_collection_rule": ("Microsoft.Insights/dataCollectionRules/write", CONTRIBUTOR),
    "azurerm_monitor_data_collection_rule_association": (
        "Microsoft.Insights/dataCollectionRuleAssociations/write",
        CONTRIBUTOR,
    ),
    "azurerm_monitor_diagnostic_setting": ("Microsoft.Insights/diagnosticSettings/write", CONTRIBUTOR),
    "azurerm_monitor_metric_alert": ("Microsoft.Insights/metricAlerts/write", CONTRIBUTOR),
    "azurerm_monitor_action_group": ("Microsoft.Insights/actionGroups/write", CONTRIBUTOR),
    "azurerm_monitor_alert_prometheus_rule_group": (
        "Microsoft.AlertsManagement/prometheusRuleGroups/write",
        CONTRIBUTOR,
    ),
    "azurerm_monitor_data_collection_endpoint": ("Microsoft.Insights/dataCollectionEndpoints/write", CONTRIBUTOR),
    "azurerm_monitor_workspace": ("Microsoft.Monitor/accounts/write", CONTRIBUTOR),
    "azurerm_nat_gateway": ("Microsoft.Network/natGateways/write", CONTRIBUTOR),
    "azurerm_nat_gateway_public_ip_association": ("Microsoft.Network/natGateways/write", CONTRIBUTOR),
    "azurerm_network_security_group": ("Microsoft.Network/networkSecurityGroups/write", CONTRIBUTOR),
    "azurerm_policy_definition": ("Microsoft.Authorization/policyDefinitions/write", ACCESS),
    "azurerm_postgresql_flexible_server": ("Microsoft.DBforPostgreSQL/flexibleServers/write", CONTRIBUTOR),
    "azurerm_postgresql_flexible_server_active_directory_administrator": (
        "Microsoft.DBforPostgreSQL/flexibleServers/administrators/write",
        CONTRIBUTOR,
    ),
    "azurerm_postgresql_flexible_server_configuration": (
        "Microsoft.DBforPostgreSQL/flexibleServers/configurations/write",
        CONTRIBUTOR,
    ),
    "azurerm_postgresql_flexible_server_firewall_rule": (
        "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/write",
        CONTRIBUTOR,
    ),
    "azurerm_private_dns_a_record": ("Microsoft.Network/privateDnsZones/A/write", CONTRIBUTOR),
    "azurerm_private_dns_resolver": ("Microsoft.Network/dnsResolvers/write", CONTRIBUTOR),
    "azurerm_private_dns_resolver_inbound_endpoint": (
        "Microsoft.Network/dnsResolvers/inboundEndpoints/write",
        CONTRIBUTOR,
    ),
    "azurerm_private_dns_zone": ("Microsoft.Network/privateDnsZones/write", CONTRIBUTOR),
    "azurerm_private_dns_zone_virtual_network_link": (
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
        CONTRIBUTOR,
    ),
    "azurerm_private_endpoint": ("Microsoft.Network/privateEndpoints/write", CONTRIBUTOR),
    "azurerm_public_ip": ("Microsoft.Network/publicIPAddresses/write", CONTRIBUTOR),
    "azurerm_resource_group": ("Microsoft.Resources/subscriptions/resourceGroups/write", CONTRIBUTOR),
    "azurerm_resource_group_policy_assignment": ("Microsoft.Authorization/policyAssignments/write", ACCESS),
    "azurerm_role_assignment": ("Microsoft.Authorization/roleAssignments/write", ACCESS),
    "azurerm_storage_account": ("Microsoft.Storage/storageAccounts/write", CONTRIBUTOR),
    "azurerm_storage_container": ("Microsoft.Storage/storageAccounts/blobServices/containers/write", CONTRIBUTOR),
    "azurerm_storage_share": ("Microsoft.Storage/storageAccounts/fileServices/shares/write", CONTRIBUTOR),
    "azurerm_subnet": ("Microsoft.Network/virtualNetworks/subnets/write", CONTRIBUTOR),
    "azurerm_subnet_nat_gateway_association": ("Microsoft.Network/virtualNetworks/subnets/write", CONTRIBUTOR),
    "azurerm_subnet_network_security_group_association": (
        "Microsoft.Network/virtualNetworks/subnets/write",
        CONTRIBUTOR,
    ),
    "azurerm_user_assigned_identity": ("Microsoft.ManagedIdentity/userAssignedIdentities/write", CONTRIBUTOR),
    "azurerm_virtual_network": ("Microsoft.Network/virtualNetworks/write", CONTRIBUTOR),
    "azurerm_web_application_firewall_policy": (
        "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/write",
        CONTRIBUTOR,
    ),
}
"""Action that creates and changes each kind of azurerm resource, and the built-in role that brings it."""


RUN_COMMAND = (
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.ContainerService/managedClusters/runcommand/action",
    "Microsoft.ContainerService/managedClusters/commandResults/read",
)
"""What `az aks command invoke` asks: https://learn.microsoft.com/azure/aks/access-private-cluster.

Each of the built-in roles that allow all of it, such as Azure Kubernetes Service Contributor Role, may delete the
cluster as well.
"""


def directory_table() -> str:
    """Return the rights in the directory as a Markdown table."""
    rows = ["| for | a pipeline's identity: Graph application permissions | a person: role |", "|---|---|---|"]
    for entry in DIRECTORY:
        program = ", ".join(f"`{right}`" for right in entry.program) or "none"
        rows.append(f"| {entry.does} (`{entry.type}`) | {program} | {entry.person or 'none'} |")
    return "\n".join(rows) + "\n"


def azure_table() -> str:
    """Return the rights in Azure that Contributor does not bring, as a Markdown table."""
    rows = ["| for | action | built-in role |", "|---|---|---|"]
    for type_, (action, role) in AZURE.items():
        if role != CONTRIBUTOR:
            rows.append(f"| `{type_}` | `{action}` | {role} |")
    return "\n".join(rows) + "\n"
