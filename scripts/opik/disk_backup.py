"""On-demand backups of the data disks, beside the daily ones."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from scripts.core.azure import az
from scripts.core.errors import OperatorError
from stacks.settings.data import DataDisk

RULE = "BackupIntervals"
"""Name that the azurerm provider gives to the rule of a disk policy that makes the backups
(resource data_protection_backup_policy_disk)."""

POLL_S = 15.0
PATIENCE_S = 3600.0


@dataclass(frozen=True)
class Vault:
    """The environment's Backup vault."""

    subscription: str
    resource_group: str
    name: str

    @classmethod
    def of(cls, resource_id: str) -> "Vault":
        """Return the vault of an Azure resource id. Raises ValueError for another kind of id."""
        parts = resource_id.strip("/").split("/")
        if len(parts) != 8 or parts[6].lower() != "backupvaults":
            raise ValueError(f"{resource_id!r} is no id of a Backup vault")
        return cls(parts[1], parts[3], parts[7])

    @property
    def options(self) -> tuple[str, ...]:
        """Options by which `az dataprotection` finds it."""
        place = ("--subscription", self.subscription, "--resource-group", self.resource_group)
        return (*place, "--vault-name", self.name)


def disks_of(outputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of every data disk, from the outputs of the stack `disks`; backup instances bear the same."""
    return {disk.value: str(outputs[f"{disk.value}_disk_id"]).rsplit("/", 1)[-1] for disk in DataDisk}


def back_up(
    vault: Vault,
    disks: Mapping[str, str],
    tell: Callable[[str], object],
    *,
    poll_s: float = POLL_S,
    patience_s: float = PATIENCE_S,
) -> None:
    """Back up every disk, named by store, and return when all backups are complete.

    Each is a snapshot of its own moment: like after a power failure, which all five stores are made to recover from.
    Raises OperatorError naming the disks whose backup failed or did not end in time.
    """
    deadline = time.monotonic() + patience_s

    def one(item: tuple[str, str]) -> str:
        store, instance = item
        try:
            job = _start(vault, instance)
            tell(f"{store}: backup of {instance} has begun")
            status = _wait(vault, job, deadline, poll_s)
        except OperatorError as error:
            return f"{store}: {error.message}"
        tell(f"{store}: backup is {status.lower()}")
        return "" if status in ("Completed", "CompletedWithWarnings") else f"{store}: backup is {status}"

    with ThreadPoolExecutor(max_workers=len(disks) or 1) as pool:
        failures = [failure for failure in pool.map(one, disks.items()) if failure]
    if failures:
        raise OperatorError(f"not every disk could be backed up, so nothing was changed: {'; '.join(failures)}",
            "see the vault's jobs in the Azure portal; --skip-backup goes on without a backup")  # fmt: skip


def _start(vault: Vault, instance: str) -> str:
    answer = az(
        "dataprotection", "backup-instance", "adhoc-backup", *vault.options,
        "--backup-instance-name", instance, "--rule-name", RULE,
    )  # fmt: skip
    job = answer.get("jobId") or answer.get("properties", {}).get("jobId")
    if not job:
        raise OperatorError("Azure began no backup job")
    return str(job).rsplit("/", 1)[-1]


def _wait(vault: Vault, job: str, deadline: float, poll_s: float) -> str:
    while True:
        status = (
            az("dataprotection", "job", "show", *vault.options, "--job-id", job).get("properties", {}).get("status")
        )
        if status not in ("InProgress", "NotStarted"):
            return str(status)
        if time.monotonic() >= deadline:
            raise OperatorError("backup has not ended in time")
        time.sleep(poll_s)
