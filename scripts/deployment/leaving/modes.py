"""What can be given up: modes, each named by what it deletes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scripts.core.tiers import DISPOSABLE, DURABLE
from stacks.common.azure_names import AzureNames

Resources = Mapping[str, Mapping[str, Any]]
"""Attributes of resources, by address."""


class Mode(StrEnum):
    """What is deleted."""

    PLATFORM = "platform"
    CLUSTER = "cluster"
    UPLOADS = "uploads"
    TRACES = "traces"
    DATABASES = "databases"
    EVERYTHING = "everything"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a mode does to which stacks."""

    goes: str
    disposable: tuple[str, ...] = DISPOSABLE
    """Stacks that are destroyed first: nothing may use the data any more."""
    emptied: str = ""
    """Stack of which the mode deletes a part, and makes it again, empty."""
    destroyed: tuple[str, ...] = ()
    """Durable stacks that are destroyed, protection and all."""
    after: str = ""
    """What Azure keeps, and for how long; what can be had back."""

    @property
    def data(self) -> bool:
        """Whether data is lost for good."""
        return bool(self.emptied or self.destroyed)

    @property
    def given_up(self) -> tuple[str, ...]:
        """Durable stacks whose protection is taken off for the run."""
        return self.destroyed or ((self.emptied,) if self.emptied else ())


SCOPES = {
    Mode.PLATFORM: Scope(goes="what runs in the cluster; no data", disposable=("platform",)),
    Mode.CLUSTER: Scope(goes="network, cluster, and what runs in it; no data"),
    Mode.UPLOADS: Scope(
        goes="files that people uploaded to the chat, and the cluster",
        emptied="disks",
        after="Azure can restore the deleted storage account for 14 days, as long as no new one has its name: `cleanup`"
        " makes a new one at once, so there is no way back. Backup sets lose their uploads with it.",
    ),
    Mode.TRACES: Scope(
        goes="all of Opik: projects, traces, attachments, with their backups, and the cluster",
        emptied="disks",
        after="The disks' backups, backup sets and snapshots are deleted with them, not soft-deleted. There is no way"
        " back but by backup sets that --keep-backups leaves.",
    ),
    Mode.DATABASES: Scope(
        goes="PostgreSQL: chats, users, vectors, API keys, with its backups, and the cluster",
        emptied="database",
        after="Azure can restore a deleted server for five days, from its last backup (az postgres flexible-server"
        " restore, or a support request). Secrets and passwords stay in the vault. Backup sets lose their database.",
    ),
    Mode.EVERYTHING: Scope(
        goes="the whole environment for good, with all its data, backups, images, addresses and logins",
        destroyed=DURABLE,
        after="Azure keeps the deleted Key Vault and its secrets for vault.soft_delete_days and reserves its name;"
        " nobody can purge it, and a new deployment of this environment takes it back with new secrets. Azure keeps the"
        " Entra application for 30 days, and a deleted PostgreSQL server's last backup for five. Addresses change for"
        " good: DNS records and allow-lists have to follow. Backup sets that --keep-backups leaves hold disks alone, in"
        " a resource group that `az group delete` removes once their locks are lifted.",
    ),
}


def chosen(mode: Mode, names: AzureNames, resources: Resources) -> list[str]:
    """Return the addresses of what a mode deletes of the stack that it empties."""
    uploads = names.storage_account("fil")

    def goes(address: str, values: Mapping[str, Any]) -> bool:
        type_ = address.partition(".")[0]
        if mode is Mode.UPLOADS:
            return type_ == "azurerm_storage_account" and values.get("name") == uploads
        if mode is Mode.TRACES:
            return type_ in ("azurerm_managed_disk", "azurerm_data_protection_backup_instance_disk")
        return mode is Mode.DATABASES and type_.startswith("azurerm_postgresql_flexible_server")

    return [address for address, values in resources.items() if goes(address, values)]
