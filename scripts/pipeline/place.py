"""Where the identities of a pipeline are in Azure, what they are, and how a job proves that it may log in as one."""

from dataclasses import dataclass

from stacks.common.azure_names import AzureNames
from stacks.settings import Settings

from .identities import Purpose, Scope

REGISTRY, CLUSTER = "Microsoft.ContainerRegistry/registries", "Microsoft.ContainerService/managedClusters"


@dataclass(frozen=True)
class Credential:
    """What a pipeline's system says about a job that may log in."""

    name: str
    issuer: str
    subject: str


@dataclass(frozen=True)
class Principal:
    """An identity that is there."""

    client_id: str
    object_id: str


@dataclass(frozen=True)
class Place:
    """Where the identities of one environment's pipeline are, and what they work on."""

    names: AzureNames
    system: str
    """`github`, `azure-devops`, `gitlab` or `hcp`."""
    region: str
    state: str | None
    """Resource id of the state's container; None where the state is not in Azure."""
    directory: bool
    """Whether the stack `identity` is the pipeline's to plan and apply."""

    @property
    def subscription(self) -> str:
        """Resource id of the subscription."""
        return f"/subscriptions/{self.names.subscription_id}"

    @property
    def group(self) -> str:
        """Name of the resource group of all pipelines of the environment."""
        return self.names.resource_group("pipeline")

    @property
    def registry(self) -> str:
        """Resource id of the environment's registry."""
        group = self.names.resource_group("acr")
        return f"{self.subscription}/resourceGroups/{group}/providers/{REGISTRY}/{self.names.container_registry}"

    @property
    def plan_role(self) -> str:
        """Name of the plan's own role; unique in the tenant."""
        return f"{self.names.base}-pipeline-plan-{self.names.unique_suffix}"

    @property
    def backup_role(self) -> str:
        """Name of the backups' own role; unique in the tenant."""
        return self.names.backup_role

    @property
    def off_hours_role(self) -> str:
        """Name of the schedule's own role, which stops and starts the cluster; unique in the tenant."""
        return self.names.off_hours_role

    def scope(self, scope: Scope) -> str | None:
        """Return the resource id of a scope; None for the state where it is not in Azure."""
        return {
            Scope.SUBSCRIPTION: self.subscription,
            Scope.STATE: self.state,
            Scope.REGISTRY: self.registry,
            Scope.DISKS: self._group_id("disks"),
            Scope.BACKUP_SETS: self._group_id("disks-backup-sets"),
            Scope.DATABASE: self._group_id("database"),
            Scope.CLUSTER: f"{self._group_id('aks')}/providers/{CLUSTER}/{self.names.resource('aks')}",
        }[scope]

    def _group_id(self, stack: str) -> str:
        return f"{self.subscription}/resourceGroups/{self.names.resource_group(stack)}"

    def identity(self, purpose: Purpose) -> str:
        """Return the name of an identity."""
        return f"{self.names.base}-{self.system}-{purpose}"


def place_of(settings: Settings, system: str) -> Place:
    """Return where the identities of a system's pipeline are."""
    kept = settings.state.azurerm
    state = (
        f"/subscriptions/{settings.azure.subscription_id}/resourceGroups/{kept.resource_group}/providers"
        f"/Microsoft.Storage/storageAccounts/{kept.storage_account}/blobServices/default/containers/{kept.container}"
        if kept
        else None
    )
    return Place(settings.azure_names, system, settings.azure.region, state, settings.identity.manage)
