"""Data disks that Terraform's state of the stack `disks` holds, and others that take their places there.

A disk is followed by its lock and its backup, as far as they exist; the one before leaves the state with its own and
stays in Azure as it is. Each step looks at what is, so that it can be repeated.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.core import environment_file
from scripts.core.console import report
from scripts.terraform.stack import StackRunner, TerraformError
from stacks.settings.data import DataDisk

DISK, LOCK = "azurerm_managed_disk", "azurerm_management_lock"
BACKUP = "azurerm_data_protection_backup_instance_disk"
LOCK_NAME = "keep"
"""Name of the lock that the stack `disks` puts on a disk."""
_NOT_THERE = "non-existent remote object"


def with_generations(text: str, generations: Mapping[DataDisk, int]) -> str:
    """Return the text of the environment file that asks for these generations of disks."""
    for disk, generation in generations.items():
        text = environment_file.with_value(text, ("disks", "generations", disk.value), str(generation))
    return text


def take_over(runner: StackRunner, disks: Mapping[str, str], vault_id: str) -> None:
    """Let the state hold these disks, by their names with their ids; the stack is synthesized for them.

    Raises TerraformError.
    """
    for name, disk_id in disks.items():
        _take_over_one(runner, name, disk_id, vault_id)


def _take_over_one(runner: StackRunner, name: str, disk_id: str, vault_id: str) -> None:
    addresses, there = addresses_of(runner, name), runner.resources()
    held = there.get(addresses[DISK])
    if held and str(held["id"]).lower() != disk_id.lower():
        report(f"Out of the state, and left as it is in Azure: {held['name']}")
        runner.forget([address for address in addresses.values() if address in there])
        there = {}
    ids = {
        DISK: disk_id,
        LOCK: f"{disk_id}/providers/Microsoft.Authorization/locks/{LOCK_NAME}",
        BACKUP: f"{vault_id}/backupInstances/{name}",
    }
    for kind, address in addresses.items():
        if address not in there:
            _import(runner, address, ids[kind], may_lack=kind != DISK)


def _import(runner: StackRunner, address: str, resource_id: str, *, may_lack: bool) -> None:
    try:
        runner.adopt(address, resource_id)
    except TerraformError as error:
        if not may_lack or _NOT_THERE not in " ".join(error.output.split()):
            raise


def addresses_of(runner: StackRunner, name: str) -> dict[str, str]:
    """Return the addresses of a disk, its lock and its backup in the synthesized stack, by type."""
    configured: dict[str, dict[str, Any]] = json.loads((runner.stack.folder / "cdk.tf.json").read_text("utf-8"))[
        "resource"
    ]
    (key,) = (key for key, disk in configured[DISK].items() if disk["name"] == name)
    reference = f"${{{DISK}.{key}.id}}"
    (lock,) = (found for found, body in configured[LOCK].items() if body["scope"] == reference)
    (backup,) = (found for found, body in configured[BACKUP].items() if body["disk_id"] == reference)
    return {DISK: f"{DISK}.{key}", LOCK: f"{LOCK}.{lock}", BACKUP: f"{BACKUP}.{backup}"}


def names_held(state: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield the names of the disks in a state."""
    return (str(values["name"]) for address, values in state.items() if address.startswith(f"{DISK}."))
