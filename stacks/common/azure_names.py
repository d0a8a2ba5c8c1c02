"""Names of Azure resources: pure functions of prefix, environment and subscription.

They live here and not in `constructs/`, because importing that package starts jsii's Node process and the
settings need these names too. Limits: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import base64
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureNames:
    """Every Azure name of one environment.

    With `prefix` and `environment` of at most eight lower-case letters and digits each, all results keep Azure's
    limits of length and alphabet.
    """

    prefix: str
    environment: str
    subscription_id: str

    @property
    def base(self) -> str:
        """Common beginning of names that are unique only within their resource group or subscription."""
        return f"{self.prefix}-{self.environment}"

    @property
    def unique_suffix(self) -> str:
        """Five letters and digits that set this environment apart from every other in Azure."""
        seed = f"{self.subscription_id}/{self.prefix}/{self.environment}".encode()
        return base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()[:5]

    @property
    def backup_role(self) -> str:
        """Custom role of whoever makes backup sets: unique in the tenant."""
        return f"{self.base}-pipeline-backup-{self.unique_suffix}"

    @property
    def off_hours_role(self) -> str:
        """Custom role of the schedule that stops and starts the cluster: unique in the tenant."""
        return f"{self.base}-pipeline-off-hours-{self.unique_suffix}"

    def resource_group(self, stack: str) -> str:
        """Resource group of a stack: 1 to 90 characters, unique in the subscription."""
        return f"{self.base}-{stack}"

    def resource(self, purpose: str) -> str:
        """Name of a resource that only has to be unique inside its resource group."""
        return f"{self.base}-{purpose}"

    @property
    def key_vault(self) -> str:
        """Key Vault: 3 to 24 letters, digits and dashes, unique in all of Azure."""
        return f"{self.base}-{self.unique_suffix}"

    @property
    def container_registry(self) -> str:
        """Container registry: 5 to 50 letters and digits, unique in all of Azure."""
        return f"{self.prefix}{self.environment}{self.unique_suffix}"

    def storage_account(self, purpose: str) -> str:
        """Storage account: 3 to 24 lower-case letters and digits, unique in all of Azure.

        `purpose` has at most three characters.
        """
        return f"{self.prefix}{self.environment}{purpose}{self.unique_suffix}"

    def postgresql_server(self, generation: int) -> str:
        """PostgreSQL Flexible Server: 3 to 63 lower-case letters, digits and dashes, unique in all of Azure.

        Generations count from 1; each restore makes a new server and so needs a new name.
        """
        return f"{self.base}-pg{generation if generation > 1 else ''}-{self.unique_suffix}"

    def data_disk(self, purpose: str, generation: int) -> str:
        """Managed disk: 1 to 80 characters, unique in its resource group; generations count from 1."""
        return self.resource(f"{purpose}-{generation}" if generation > 1 else purpose)

    @property
    def dns_label(self) -> str:
        """Label of the public address: 3 to 63 characters, unique in the region."""
        return f"{self.base}-{self.unique_suffix}"

    def state_workspace(self, stack: str) -> str:
        """HCP Terraform workspace of a stack: at most 90 characters, unique in the organization."""
        return f"{self.base}-{stack}"


def rotation_pool_name(pool: str) -> str:
    """Name of the temporary pool while `pool` is rebuilt: at most 12 lower-case letters and digits.

    The hash keeps it apart from every other pool's name and temporary name.
    """
    return f"{pool[:6]}{base64.b32encode(hashlib.sha256(pool.encode()).digest()).decode().lower()[:6]}"
