"""Whether the names that are unique in all of Azure are free: registry, vault, PostgreSQL, storage accounts."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.errors import MissingError
from scripts.azure.shape import Shape

from ..findings import Finding, warning
from ..surroundings import Surroundings
from .unique_names import Unique, names

_STOPS = "Azure refuses it, and the stack stops halfway"


class Availability(Shape):
    """Whether a name can be had."""

    name_available: bool
    reason: str | None = None
    message: str | None = None


class Anything(Shape):
    """A resource that exists."""

    id: str = ""


class DeletedVault(Shape):
    """Facts of a vault that was deleted and can still be recovered."""

    vault_id: str = ""
    location: str = ""
    scheduled_purge_date: str = ""
    purge_protection_enabled: bool | None = None


class Deleted(Shape):
    """A deleted vault."""

    name: str
    properties: DeletedVault


class DeletedAccount(Shape):
    """Facts of a storage account that was deleted."""

    storage_account_resource_id: str = ""
    deletion_time: str = ""


class DeletedStorage(Shape):
    """A deleted storage account."""

    name: str
    properties: DeletedAccount


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield the names that are taken, and what of the same name can still be recovered. Raises AnswerError."""
    for unique in names(asked):
        content = {"name": unique.name, "type": unique.type}
        found = asked.azure.ask(unique.availability, Availability, content=content, region=asked.region)
        if unique.type == "Microsoft.KeyVault/vaults":
            deleted = [finding for finding in [_deleted_vault(asked, unique)] if finding]
            yield from deleted
        else:
            deleted = []
        if found.name_available:
            yield from _deleted_account(asked, unique)
        elif _exists(asked, unique):
            yield from _left(asked, unique)
        elif not deleted:
            yield _taken(asked, unique, found)


def _exists(asked: Surroundings, unique: Unique) -> bool:
    try:
        asked.azure.ask(unique.resource, Anything, id=unique.id)
    except MissingError:
        return False
    return True


def _left(asked: Surroundings, unique: Unique) -> Iterator[Finding]:
    if unique.stack in asked.undeployed:
        yield Finding(
            f"the {unique.what} {unique.name} exists already, but no state of {unique.stack} knows it",
            'Terraform would create it again and is refused ("already exists … needs to be imported")',
            f"llmctl state adopt {asked.settings.name} {unique.stack}",
        )


def _taken(asked: Surroundings, unique: Unique, found: Availability) -> Finding:
    where = (
        "somebody else has it, or it was deleted in another subscription"
        if found.reason == "AlreadyExists"
        else found.message or found.reason or "Azure does not say why"
    )
    return Finding(
        f"the name {unique.name} of the {unique.what} cannot be had: {where}",
        _STOPS,
        f"write another prefix or name in environments/{asked.settings.name}.yaml: every name in Azure is made of them",
    )


def _deleted_vault(asked: Surroundings, unique: Unique) -> Finding | None:
    for one in asked.azure.ask_all(operations.DELETED_VAULTS, Deleted):
        facts = one.properties
        if one.name.lower() != unique.name.lower():
            continue
        what = f"a Key Vault {unique.name} was deleted and is kept until {facts.scheduled_purge_date[:10]}"
        purge = f"az keyvault purge --name {unique.name} --location {facts.location}"
        recover = f"az keyvault recover --name {unique.name} --location {facts.location}"
        if facts.vault_id.lower() == unique.id.lower() and facts.location == asked.region:
            anew = "" if facts.purge_protection_enabled else f"; to begin without them: {purge}"
            return warning(
                what,
                why="the deployment recovers it, with the secrets of the environment that was",
                fix=f"nothing, or beforehand: {recover}{anew}",
            )
        if facts.purge_protection_enabled:
            fix = f"{recover}, then move or delete what is in it; or write another prefix or name"
        else:
            fix = f"{purge}; or {recover}"
        return Finding(f"{what}, in {facts.location} as {facts.vault_id}", _STOPS, fix)
    return None


def _deleted_account(asked: Surroundings, unique: Unique) -> Iterator[Finding]:
    if unique.type != "Microsoft.Storage/storageAccounts":
        return
    for one in asked.azure.ask_all(operations.DELETED_STORAGE_ACCOUNTS, DeletedStorage):
        if one.name == unique.name:
            yield warning(
                f"a storage account {unique.name} was deleted on {one.properties.deletion_time[:10]}",
                why="once the deployment has made another one of its name, its data cannot be recovered any more",
                fix="nothing, or recover it first, within 14 days of its deletion:"
                " https://learn.microsoft.com/azure/storage/common/storage-account-recover",
            )
