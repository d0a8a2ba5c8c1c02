"""Every operation of Azure that is asked, with its API version: the only table of both.

A version is renewed here. Shapes are those of https://github.com/Azure/azure-rest-api-specs at the version named.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Operation:
    """One question."""

    path: str
    """Path with places in braces; `{subscription}` is filled by the client."""
    version: str
    """`api-version`, empty for Microsoft Graph, which has it in the path."""
    method: Literal["GET", "POST"] = "GET"
    filter: str = ""
    """OData filter, with places."""


_SUBSCRIPTION = "/subscriptions/{subscription}"
_PROVIDERS = f"{_SUBSCRIPTION}/providers"

SUBSCRIPTION = Operation(_SUBSCRIPTION, "2022-12-01")
LOCATIONS = Operation(f"{_SUBSCRIPTION}/locations", "2022-12-01")
PROVIDERS = Operation(_PROVIDERS, "2021-04-01")
FEATURE = Operation(f"{_PROVIDERS}/Microsoft.Features/providers/{{namespace}}/features/{{feature}}", "2021-07-01")
PERMISSIONS = Operation("{scope}/providers/Microsoft.Authorization/permissions", "2022-04-01")
POLICY_ASSIGNMENTS = Operation(f"{_PROVIDERS}/Microsoft.Authorization/policyAssignments", "2023-04-01")
COMPUTE_SKUS = Operation(f"{_PROVIDERS}/Microsoft.Compute/skus", "2021-07-01", filter="location eq '{region}'")
COMPUTE_USAGES = Operation(f"{_PROVIDERS}/Microsoft.Compute/locations/{{region}}/usages", "2024-07-01")
STORAGE_SKUS = Operation(f"{_PROVIDERS}/Microsoft.Storage/skus", "2023-05-01")
KUBERNETES_VERSIONS = Operation(
    f"{_PROVIDERS}/Microsoft.ContainerService/locations/{{region}}/kubernetesVersions", "2025-05-01"
)
AGENT_POOLS = Operation("{cluster}/agentPools", "2025-05-01")
POSTGRESQL_CAPABILITIES = Operation(
    f"{_PROVIDERS}/Microsoft.DBforPostgreSQL/locations/{{region}}/capabilities", "2024-08-01"
)
REGISTRY_NAME = Operation(f"{_PROVIDERS}/Microsoft.ContainerRegistry/checkNameAvailability", "2023-07-01", "POST")
VAULT_NAME = Operation(f"{_PROVIDERS}/Microsoft.KeyVault/checkNameAvailability", "2023-07-01", "POST")
STORAGE_NAME = Operation(f"{_PROVIDERS}/Microsoft.Storage/checkNameAvailability", "2023-05-01", "POST")
POSTGRESQL_NAME = Operation(
    f"{_PROVIDERS}/Microsoft.DBforPostgreSQL/locations/{{region}}/checkNameAvailability", "2024-08-01", "POST"
)
DELETED_VAULTS = Operation(f"{_PROVIDERS}/Microsoft.KeyVault/deletedVaults", "2023-07-01")
DELETED_STORAGE_ACCOUNTS = Operation(f"{_PROVIDERS}/Microsoft.Storage/deletedAccounts", "2023-05-01")
REGISTRY = Operation("{id}", "2023-07-01")
REGISTRY_USAGES = Operation("{id}/listUsages", "2023-07-01")
VAULT = Operation("{id}", "2023-07-01")
STORAGE_ACCOUNT = Operation("{id}", "2023-05-01")
POSTGRESQL_SERVER = Operation("{id}", "2024-08-01")
DISK_ENCRYPTION_SET = Operation("{id}", "2024-03-02")
DNS_ZONES = Operation(f"{_PROVIDERS}/Microsoft.Network/dnszones", "2018-05-01")
RESOURCE_GRAPH = Operation("/providers/Microsoft.ResourceGraph/resources", "2022-10-01", "POST")

MY_DIRECTORY_ROLES = Operation("/me/transitiveMemberOf/microsoft.graph.directoryRole", "")
AUTHORIZATION_POLICY = Operation("/policies/authorizationPolicy", "")
