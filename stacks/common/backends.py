"""Where a stack's state is written, and the reader of that same place for other stacks.

Writer and reader of one backend stand side by side: what one writes the other reads, whatever the setting says.
"""

from cdktf import (
    AzurermBackend,
    CloudBackend,
    DataTerraformRemoteState,
    DataTerraformRemoteStateAzurerm,
    DataTerraformRemoteStateLocal,
    LocalBackend,
    NamedCloudWorkspace,
    NamedRemoteWorkspace,
    TerraformRemoteState,
    TerraformStack,
)

from stacks.settings import Settings
from stacks.settings.azure import AzurermStateSettings, HcpStateSettings

from .azure_names import AzureNames


def local_state_path(settings: Settings, stack: str) -> str:
    """Path of a stack's local state, relative to every stack's own folder `cdktf.out/<environment>/stacks/<stack>`.

    Terraform resolves it from the folder it runs in, so the same text has to lead to the same file from each.
    """
    return f"../../../../state/{settings.name}/{stack}.tfstate"


def write_backend(stack: TerraformStack, stack_name: str, settings: Settings, names: AzureNames) -> None:
    """Give `stack` the environment's state backend."""
    match settings.state.azurerm or settings.state.hcp:
        case AzurermStateSettings() as azurerm:
            AzurermBackend(
                stack,
                subscription_id=settings.azure.subscription_id,
                resource_group_name=azurerm.resource_group,
                storage_account_name=azurerm.storage_account,
                container_name=azurerm.container,
                key=_blob(settings, stack_name),
                use_azuread_auth=True,
            )
        case HcpStateSettings() as hcp:
            CloudBackend(
                stack,
                hostname=hcp.hostname,
                organization=hcp.organization,
                workspaces=NamedCloudWorkspace(names.state_workspace(stack_name), hcp.project),
            )
        case None:
            LocalBackend(stack, path=local_state_path(settings, stack_name))


def read_backend(
    consumer: TerraformStack, producer_name: str, settings: Settings, names: AzureNames
) -> TerraformRemoteState:
    """Return the state of the stack `producer_name` for reading in `consumer`."""
    reader_id = f"{producer_name}-state"
    match settings.state.azurerm or settings.state.hcp:
        case AzurermStateSettings() as azurerm:
            return DataTerraformRemoteStateAzurerm(
                consumer,
                reader_id,
                subscription_id=settings.azure.subscription_id,
                resource_group_name=azurerm.resource_group,
                storage_account_name=azurerm.storage_account,
                container_name=azurerm.container,
                key=_blob(settings, producer_name),
                use_azuread_auth=True,
            )
        case HcpStateSettings() as hcp:
            return DataTerraformRemoteState(
                consumer,
                reader_id,
                hostname=hcp.hostname,
                organization=hcp.organization,
                workspaces=NamedRemoteWorkspace(names.state_workspace(producer_name)),
            )
        case None:
            return DataTerraformRemoteStateLocal(consumer, reader_id, path=local_state_path(settings, producer_name))


def _blob(settings: Settings, stack: str) -> str:
    return f"{settings.prefix}/{settings.name}/{stack}.tfstate"
