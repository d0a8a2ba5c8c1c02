"""The storage account that the `azurerm` backend keeps its state in, as commands of the Azure CLI."""

import shlex
from ipaddress import IPv4Network

from stacks.settings import Settings
from stacks.settings.azure import AzurermStateSettings

_RETENTION_DAYS = 30


def bootstrap_commands(settings: Settings, operator_object_id: str, operator_kind: str = "User") -> list[list[str]]:
    """Return the commands that create the state's storage; each may be repeated.

    `operator_kind` is Azure's name for what the operator is: `User` or `ServicePrincipal`.

    Raises ValueError when the environment keeps its state elsewhere.
    """
    backend = settings.state.azurerm
    if backend is None:
        raise ValueError(f"{settings.name} keeps no state in Azure")
    group, account = backend.resource_group, backend.storage_account
    subscription, region = settings.azure.subscription_id, settings.azure.region
    redundancy = "Standard_ZRS" if settings.azure.zones else "Standard_LRS"
    within = f"--subscription {subscription} --resource-group {group}"
    tags = f"--tags platform={settings.prefix} environment={settings.name} purpose=terraform-state"
    accounts = "Microsoft.Storage/storageAccounts"
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{accounts}/{account}"
    commands = (
        f"az group create --subscription {subscription} --name {group} --location {region} {tags}",
        (
            f"az storage account create {within} --name {account} --location {region} {tags}"
            f" --kind StorageV2 --sku {redundancy} --min-tls-version TLS1_2 --https-only true"
            " --allow-blob-public-access false --allow-shared-key-access false"
            f" {_exposure(backend)}"
        ),
        *(
            f"az storage account network-rule add {within} --account-name {account} --ip-address {_rule(allowed)}"
            for allowed in backend.ip_ranges
        ),
        (
            f"az storage account blob-service-properties update {within} --account-name {account}"
            f" --enable-versioning true --enable-delete-retention true --delete-retention-days {_RETENTION_DAYS}"
            f" --enable-container-delete-retention true --container-delete-retention-days {_RETENTION_DAYS}"
        ),
        # Through the management API: a role on the data takes minutes until it works.
        f"az storage container-rm create {within} --storage-account {account} --name {backend.container}",
        (
            f"az role assignment create --assignee-object-id {shlex.quote(operator_object_id)}"
            f' --assignee-principal-type {operator_kind} --role "Storage Blob Data Contributor" --scope {scope}'
        ),
        *_private_endpoint(backend, within, scope, region, tags),
        (
            f"az lock create {within} --name terraform-state --lock-type CanNotDelete"
            f" --resource {account} --resource-type {accounts}"
        ),
    )
    return [shlex.split(command) for command in commands]


def _exposure(backend: AzurermStateSettings) -> str:
    if backend.private_endpoint_subnet_id:
        return "--public-network-access Disabled --default-action Deny"
    return f"--public-network-access Enabled --default-action {'Deny' if backend.ip_ranges else 'Allow'}"


def _rule(allowed: IPv4Network) -> str:
    # The firewall of storage accounts takes a single address only without a prefix length.
    return str(allowed.network_address) if allowed.prefixlen == 32 else str(allowed)


def _private_endpoint(
    backend: AzurermStateSettings, within: str, scope: str, region: str, tags: str
) -> tuple[str, ...]:
    if backend.private_endpoint_subnet_id is None:
        return ()
    name = f"{backend.storage_account}-blob"
    command = (
        f"az network private-endpoint create {within} --name {name} --connection-name {name} --location {region} {tags}"
        f" --private-connection-resource-id {scope} --group-id blob"
        f" --subnet {shlex.quote(backend.private_endpoint_subnet_id)}"
    )
    return (command,)
