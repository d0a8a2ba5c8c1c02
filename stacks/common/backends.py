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

from stacks.settings.azure import AzurermStateSettings, HcpStateSettings, StateSettings

from .azure_names import AzureNames


def local_state_path(environment: str, stack: str) -> str:
    """Path of a stack's local state, relative to every stack's own folder `cdktf.out/<environment>/stacks/<stack>`.

    Terraform resolves it from the folder it runs in, so the same text has to lead to the same file from each.
    """
    return f"../../../../state/{environment}/{stack}.tfstate"


def write_backend(stack: TerraformStack, stack_name: str, state: StateSettings, names: AzureNames) -> None:
    """Give `stack` the environment's state backend; `names` says of which environment."""
    match state.azurerm or state.hcp:
        case AzurermStateSettings() as azurerm:
            AzurermBackend(
                stack,
                subscription_id=names.subscription_id,
                resource_group_name=azurerm.resource_group,
                storage_account_name=azurerm.storage_account,
                container_name=azurerm.container,
                key=_blob(names, stack_name),
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
            LocalBackend(stack, path=local_state_path(names.environment, stack_name))


def read_backend(
    consumer: TerraformStack, producer_name: str, state: StateSettings, names: AzureNames
) -> TerraformRemoteState:
    """Return the state of the stack `producer_name` for reading in `consumer`."""
    reader_id = f"{producer_name}-state"
    match state.azurerm or state.hcp:
        case AzurermStateSettings() as azurerm:
            return DataTerraformRemoteStateAzurerm(
                consumer,
                reader_id,
                subscription_id=names.subscription_id,
                resource_group_name=azurerm.resource_group,
                storage_account_name=azurerm.storage_account,
                container_name=azurerm.container,
                key=_blob(names, producer_name),
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
            return DataTerraformRemoteStateLocal(
                consumer, reader_id, path=local_state_path(names.environment, producer_name)
            )


def _blob(names: AzureNames, stack: str) -> str:
    return f"{names.prefix}/{names.environment}/{stack}.tfstate"
