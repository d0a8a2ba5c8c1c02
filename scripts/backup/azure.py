"""The Azure side of backup sets: snapshots, their locks and copies, share snapshots, the vault, the database.

All goes through the resource manager but the names of secrets (vault) and the manifests (`store.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.core.azure import az, az_list, az_text
from scripts.core.errors import OperatorError

from .manifest import UTC_TIME, RecoveryPoint, SecretVersion, ShareSnapshot, VaultState

SET_TAG, STORE_TAG, PURPOSE_TAG = "backup-set", "store", "purpose"
PURPOSE = "backup-set"
LOCK = "keep-backup-set"
_VAULT_READS = 8

Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Azure:
    """One environment's subscription, asked with the operator's own `az`; tests hand over others."""

    subscription: str
    ask: Callable[..., dict[str, Any]] = az
    ask_list: Callable[..., list[Any]] = az_list
    tell: Callable[..., str] = az_text
    """For what answers with nothing."""

    def snapshots(self, group: str) -> list[Resource]:
        """Return the snapshots of backup sets in a resource group. Raises AzureError."""
        found = self.ask_list("snapshot", "list", *self._in(group))
        return [item for item in found if (item.get("tags") or {}).get(PURPOSE_TAG) == PURPOSE]

    def snapshot(
        self, name: str, group: str, source: str, *, region: str, tags: Mapping[str, str], copy: bool = False
    ) -> Resource:
        """Make an incremental snapshot of a disk, or begin with a copy of a snapshot. Raises AzureError.

        Both can be repeated: Azure answers with the one that is there.
        """
        return self.ask(
            *("snapshot", "create", *self._in(group), "--name", name, "--location", region, "--source", source),
            *("--incremental", "true", "--network-access-policy", "DenyAll", "--public-network-access", "Disabled"),
            *(("--copy-start", "true") if copy else ()),
            *("--tags", *(f"{key}={value}" for key, value in sorted(tags.items()))),
        )

    def lock(self, resource_id: str, notes: str) -> None:
        """Refuse the deletion of a resource to everybody. Raises AzureError."""
        self.ask(
            *("lock", "create", "--name", LOCK, "--lock-type", "CanNotDelete"),
            *("--resource", resource_id, "--notes", notes, "--subscription", self.subscription),
        )

    def locked(self, group: str) -> set[str]:
        """Return the lower-case ids of what is locked in a resource group. Raises AzureError."""
        found = self.ask_list("lock", "list", *self._in(group))
        return {item["id"].lower().partition("/providers/microsoft.authorization/locks/")[0] for item in found}

    def unlock(self, resource_id: str) -> None:
        """Take the lock of a backup set away; one that is gone is no error. Raises AzureError."""
        self.tell("lock", "delete", "--ids", f"{resource_id}/providers/Microsoft.Authorization/locks/{LOCK}")

    def delete_snapshot(self, resource_id: str) -> None:
        """Delete a snapshot of a disk. Raises AzureError."""
        self.tell("snapshot", "delete", "--ids", resource_id)

    def recovery_point(self, server: str, group: str, moment: datetime) -> RecoveryPoint:
        """Return the recovery point of a server at `moment`. Raises AzureError."""
        shown = self.ask("postgres", "flexible-server", "show", *self._in(group), "--name", server)
        return RecoveryPoint(
            server=server,
            server_id=shown["id"],
            moment=moment.strftime(UTC_TIME),
            earliest=shown["backup"]["earliestRestoreDate"],
        )

    def snapshot_share(self, account: str, share: str, group: str) -> ShareSnapshot:
        """Make a snapshot of a file share. Raises AzureError."""
        made = self.ask(
            "storage", "share-rm", "snapshot", *self._in(group), "--storage-account", account, "--name", share
        )
        return ShareSnapshot(account=account, share=share, moment=made["snapshotTime"])

    def share_snapshots(self, account: str, share: str, group: str) -> set[str]:
        """Return the moments of a share's snapshots. Raises AzureError."""
        found = self.ask_list(
            "storage", "share-rm", "list", *self._in(group), "--storage-account", account, "--include-snapshot"
        )
        return {item["snapshotTime"] for item in found if item["name"] == share and item.get("snapshotTime")}

    def delete_share_snapshot(self, snapshot: ShareSnapshot, group: str) -> None:
        """Delete the snapshot of a share. Raises AzureError."""
        self.tell(
            *("storage", "share-rm", "delete", *self._in(group), "--storage-account", snapshot.account),
            *("--name", snapshot.share, "--snapshot", snapshot.moment, "--yes"),
        )

    def vault(self, vault: str) -> VaultState:
        """Return the current version of every secret; no value is asked for. Raises AzureError."""
        names = [item["name"] for item in self.ask_list("keyvault", "secret", "list", *self._vault(vault))]
        with ThreadPoolExecutor(_VAULT_READS) as pool:
            current = list(pool.map(lambda name: self._current(vault, name), sorted(names)))
        return VaultState(vault=vault, secrets=tuple(found for found in current if found))

    def secret_versions(self, vault: str, name: str) -> list[tuple[str, bool]]:
        """Return the versions of a secret, newest first, with whether each may be used. Raises AzureError."""
        found = self.ask_list("keyvault", "secret", "list-versions", *self._vault(vault), "--name", name)
        ordered = sorted(found, key=lambda item: str(item["attributes"]["created"]), reverse=True)
        return [(item["id"].rsplit("/", 1)[-1], bool(item["attributes"]["enabled"])) for item in ordered]

    def _current(self, vault: str, name: str) -> SecretVersion | None:
        versions = self.secret_versions(vault, name)
        return SecretVersion(name=name, version=versions[0][0]) if versions else None

    def _in(self, group: str) -> tuple[str, ...]:
        return ("--subscription", self.subscription, "--resource-group", group)

    def _vault(self, vault: str) -> tuple[str, ...]:
        return ("--vault-name", vault, "--subscription", self.subscription)


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
