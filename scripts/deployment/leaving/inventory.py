"""What of an environment holds data or names, with its size, and what becomes of each in a mode."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stacks.common.azure_names import AzureNames

from .modes import SCOPES, Mode, Resources, chosen

_SIZES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "azurerm_managed_disk": lambda values: f"{values.get('disk_size_gb')} GiB",
    "azurerm_storage_share": lambda values: f"{values.get('quota')} GiB",
    "azurerm_postgresql_flexible_server": lambda values: f"{int(values.get('storage_mb') or 0) // 1024} GiB",
    "azurerm_container_registry": lambda values: str(values.get("sku")),
    "azurerm_key_vault": lambda _values: "secrets",
    "azurerm_public_ip": lambda values: str(values.get("ip_address")),
    "azurerm_data_protection_backup_vault": lambda _values: "backups of the disks",
    "azuread_application": lambda values: str(values.get("display_name")),
    "azuread_group": lambda values: str(values.get("display_name")),
    "azurerm_kubernetes_cluster": lambda values: str(values.get("kubernetes_version")),
}
"""What people know a resource by, beside its name."""


@dataclass(frozen=True)
class Item:
    """One thing that an environment consists of."""

    stack: str
    address: str
    name: str
    size: str
    goes: bool
    """Whether the mode deletes it."""

    def as_json(self) -> dict[str, Any]:
        """Return it for a program to read."""
        return asdict(self)


def inventory(mode: Mode, names: AzureNames, states: Mapping[str, Resources]) -> list[Item]:
    """Return what is in the states and worth a line, each with what becomes of it."""
    return list(_items(mode, names, states))


def _items(mode: Mode, names: AzureNames, states: Mapping[str, Resources]) -> Iterator[Item]:
    scope = SCOPES[mode]
    for stack, resources in states.items():
        whole = stack in scope.disposable or stack in scope.destroyed
        part = set(chosen(mode, names, resources)) if stack == scope.emptied else set()
        if part and mode is Mode.UPLOADS:
            accounts = {resources[address]["id"] for address in part}
            part |= {name for name, values in resources.items() if values.get("storage_account_id") in accounts}
        for address, values in resources.items():
            if size := _SIZES.get(address.partition(".")[0]):
                name = str(values.get("name") or values.get("display_name"))
                yield Item(stack, address, name, size(values), whole or address in part)
