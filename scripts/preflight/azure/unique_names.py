"""The names of the stacks that are unique in all of Azure."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.azure import operations
from scripts.azure.operations import Operation

from ..surroundings import Surroundings


@dataclass(frozen=True)
class Unique:
    """One name that has to be unique in all of Azure."""

    what: str
    stack: str
    type: str
    name: str
    group: str
    """Id of the resource group that it belongs to."""
    availability: Operation
    resource: Operation

    @property
    def id(self) -> str:
        """Its resource id where the environment owns it."""
        return f"{self.group}/providers/{self.type}/{self.name}"


def names(asked: Surroundings) -> Iterator[Unique]:
    """Yield the names of the stacks that are checked."""
    settings, names = asked.settings, asked.settings.azure_names
    kinds = (
        (
            "container registry",
            "acr",
            "acr",
            "Microsoft.ContainerRegistry/registries",
            names.container_registry,
            operations.REGISTRY_NAME,
            operations.REGISTRY,
        ),
        (
            "Key Vault",
            "database",
            "database",
            "Microsoft.KeyVault/vaults",
            names.key_vault,
            operations.VAULT_NAME,
            operations.VAULT,
        ),
        (
            "PostgreSQL server",
            "database",
            "database",
            "Microsoft.DBforPostgreSQL/flexibleServers",
            names.postgresql_server(settings.database.generation),
            operations.POSTGRESQL_NAME,
            operations.POSTGRESQL_SERVER,
        ),
        *(
            (
                f"storage account of {what}",
                "disks",
                group,
                "Microsoft.Storage/storageAccounts",
                names.storage_account(purpose),
                operations.STORAGE_NAME,
                operations.STORAGE_ACCOUNT,
            )
            for what, group, purpose in _accounts(asked)
        ),
    )
    for what, stack, group, type_, name, availability, resource in kinds:
        if stack in asked.stacks:
            yield Unique(what, stack, type_, name, asked.group(group), availability, resource)


def _accounts(asked: Surroundings) -> Iterator[tuple[str, str, str]]:
    """Yield what each account of `stacks/disks.py` is for, its group and the purpose in its name."""
    yield "chat uploads", "disks", "fil"
    yield "backup sets", "disks-backup-sets", "bak"
    if asked.settings.has_model_store:
        yield "weights", "disks-models", "mdl"
