"""Chooses what imports."""

import shutil
from typing import TYPE_CHECKING

from scripts.core.errors import ExitCode, OperatorError
from scripts.images import azure_cli
from scripts.images.registry.credentials import find_login
from stacks.platform.common.images import login_server
from stacks.settings import Settings

from .acr import AcrImport
from .base import Importer
from .copy import DirectCopy, ToolCopy

if TYPE_CHECKING:
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

_ARM_SCOPE = "https://management.azure.com/.default"
_CLI_TIMEOUT_S = 120
NAMES = ("auto", "acr", "skopeo", "crane", "direct")


def choose(name: str, settings: Settings, registry: str) -> Importer:
    """Return the importer `name`; `auto` takes Azure's own for its registries, else skopeo, crane, or a direct copy.

    Raises OperatorError when it is absent or cannot serve `registry`.
    """
    names = settings.azure_names
    own = registry == login_server(settings.azure_names)
    if name == "acr" or (name == "auto" and own and azure_cli.present()):
        if not own:
            fix = "choose another --importer"
            raise OperatorError(f"{registry} is not the registry of {settings.name} in Azure", fix, ExitCode.USAGE)
        client = _client(settings.azure.subscription_id)
        return AcrImport(client, names.resource_group("acr"), names.container_registry, find_login, {})
    if name == "skopeo" or (name == "auto" and shutil.which("skopeo")):
        return ToolCopy("skopeo")
    if name == "crane" or (name == "auto" and shutil.which("crane")):
        return ToolCopy("crane")
    return DirectCopy()


def _client(subscription_id: str) -> "ContainerRegistryManagementClient":
    """Return Azure's client, acting as the login of the Azure CLI. Raises OperatorError without one."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - slow, and only needed here
    from azure.identity import AzureCliCredential  # noqa: PLC0415
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient  # noqa: PLC0415

    credential = AzureCliCredential(subscription=subscription_id, process_timeout=_CLI_TIMEOUT_S)
    try:
        credential.get_token(_ARM_SCOPE)
    except ClientAuthenticationError:
        raise OperatorError(
            f"the Azure CLI has no login for subscription {subscription_id}", "run `az login`", ExitCode.NOT_READY
        ) from None
    return ContainerRegistryManagementClient(credential, subscription_id)
