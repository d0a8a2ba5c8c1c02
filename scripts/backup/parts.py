"""The parts of a backup set as Azure knows them: tags and locks of its snapshots, moments of share and database."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from scripts.azure.cli import Resource
from scripts.azure.files import Share
from scripts.azure.resources import Azure
from scripts.core.errors import OperatorError
from stacks.settings.secrets.names import KEPT

from .manifest import UTC_TIME, RecoveryPoint, SecretVersion, ShareSnapshot, VaultState

SET_TAG, STORE_TAG, PURPOSE_TAG = "backup-set", "store", "purpose"
PURPOSE = "backup-set"
LOCK = "keep-backup-set"


def snapshots(azure: Azure, group: str) -> list[Resource]:
    """Return the snapshots of backup sets in a resource group. Raises AzureError."""
    return [item for item in azure.compute.snapshots(group) if (item.get("tags") or {}).get(PURPOSE_TAG) == PURPOSE]


def recovery_point(azure: Azure, server: str, group: str, moment: datetime) -> RecoveryPoint:
    """Return the recovery point of a server at `moment`. Raises AzureError."""
    shown = azure.servers.server(server, group)
    return RecoveryPoint(
        server=server,
        server_id=shown["id"],
        moment=moment.strftime(UTC_TIME),
        earliest=shown["backup"]["earliestRestoreDate"],
    )


def vault_state(azure: Azure, vault: str) -> VaultState:
    """Return the present version of every secret, and no value. Raises AzureError.

    Not of what the cluster keeps: of a certificate the newest is the only one of use.
    """
    current = azure.vaults.current(vault, without=KEPT)
    return VaultState(
        vault=vault, secrets=tuple(SecretVersion(name=name, version=found) for name, found in current.items())
    )


def share_of(uploads: ShareSnapshot, group: str) -> Share:
    """Return the share that a snapshot is of."""
    return Share(account=uploads.account, name=uploads.share, group=group)


def together(work: Mapping[str, Callable[[], None]]) -> None:
    """Do several things at once, all to their end. Raises OperatorError naming those that failed."""
    with ThreadPoolExecutor(max_workers=len(work) or 1) as pool:
        waiting = {name: pool.submit(act) for name, act in work.items()}
    failures = list(_failures({name: future.exception() for name, future in waiting.items()}))
    if failures:
        raise OperatorError("; ".join(failures))


def _failures(ended: Mapping[str, BaseException | None]) -> Iterator[str]:
    for name, error in ended.items():
        if isinstance(error, OperatorError):
            yield f"{name}: {error.message}"
        elif error is not None:
            raise error
