"""Chooses what imports."""

import shutil

from scripts.cli.errors import ExitCode, OperatorError
from scripts.images import azure_cli
from scripts.images.registry.credentials import find_login
from scripts.images.registry.transport import Transport
from stacks.azure_names import AzureNames
from stacks.settings import Settings

from .acr import AcrImport
from .base import Importer
from .copy import DirectCopy, ToolCopy

NAMES = ("auto", "acr", "skopeo", "crane", "direct")


def choose(name: str, settings: Settings, registry: str) -> Importer:
    """Return the importer `name`; `auto` takes Azure's own for its registries, else skopeo, crane, or a direct copy.

    Raises OperatorError when it is absent or cannot serve `registry`.
    """
    in_azure = registry.endswith(".azurecr.io")
    if name == "acr" or (name == "auto" and in_azure and azure_cli.present()):
        if not in_azure:
            raise OperatorError(f"{registry} is not an Azure registry", "choose another --importer", ExitCode.USAGE)
        return _acr(settings)
    if name == "skopeo" or (name == "auto" and shutil.which("skopeo")):
        return ToolCopy("skopeo")
    if name == "crane" or (name == "auto" and shutil.which("crane")):
        return ToolCopy("crane")
    return DirectCopy()


def _acr(settings: Settings) -> AcrImport:
    subscription = settings.azure.subscription_id
    names = AzureNames(prefix=settings.prefix, environment=settings.name, subscription_id=subscription)
    group = f"/subscriptions/{subscription}/resourceGroups/{names.resource_group('acr')}"
    registry_id = f"{group}/providers/Microsoft.ContainerRegistry/registries/{names.container_registry}"
    token = azure_cli.management_token(subscription)
    return AcrImport(registry_id, lambda: token, find_login, Transport())
