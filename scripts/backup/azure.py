"""The Azure side of backup sets: snapshots, their locks and copies, share snapshots, the vault, the database.

All goes through the resource manager but the names of secrets (vault) and the manifests (`store.py`).
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.core.azure import az, az_list, az_text
from scripts.core.errors import OperatorError
from stacks.settings.secret_names import KEPT

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

    def unlock(self, resource_id: str, lock: str = LOCK) -> None:
        """Take a lock away, by default that of a backup set; one that is gone is no error. Raises AzureError."""
        self.tell("lock", "delete", "--ids", f"{resource_id}/providers/Microsoft.Authorization/locks/{lock}")

    def delete_snapshot(self, resource_id: str) -> None:
        """Delete a snapshot of a disk. Raises AzureError."""
        self.tell("snapshot", "delete", "--ids", resource_id)

    def disks(self, group: str) -> list[Resource]:
        """Return the disks in a resource group. Raises AzureError."""
        return self.ask_list("disk", "list", *self._in(group))

    def disk_from(
        self,
        snapshot: str,
        name: str,
        group: str,
        *,
        region: str,
        sku: str,
        size_gib: int,
        zone: int | None,
        encryption_set: str | None,
        tags: Mapping[str, str],
    ) -> Resource:
        """Make a disk with the contents of a snapshot, as the stack `disks` makes its own. Raises AzureError."""
        return self.ask(
            *("disk", "create", *self._in(group), "--name", name, "--location", region, "--source", snapshot),
            *("--sku", sku, "--size-gb", str(size_gib), *(("--zone", str(zone)) if zone else ())),
            *(("--disk-encryption-set", encryption_set) if encryption_set else ()),
            *("--network-access-policy", "DenyAll", "--public-network-access", "Disabled"),
            *("--tags", *(f"{key}={value}" for key, value in sorted(tags.items()))),
        )

    def delete_disk(self, resource_id: str) -> None:
        """Delete a disk with its contents. Raises AzureError."""
        self.tell("disk", "delete", "--ids", resource_id, "--yes")

    def stop_protection(self, vault_id: str, instance: str) -> None:
        """Let the Backup vault protect a disk no longer; what it has stays as its policy says. Raises AzureError."""
        parts = vault_id.strip("/").split("/")
        self.tell(
            *("dataprotection", "backup-instance", "stop-protection", "--subscription", parts[1]),
            *("--resource-group", parts[3], "--vault-name", parts[7], "--backup-instance-name", instance),
        )

    def deleted_share(self, account: str, share: str, group: str) -> str:
        """Return Azure's version of a deleted share; empty when it is there, or gone for good. Raises AzureError."""
        found = self.ask_list(
            "storage", "share-rm", "list", *self._in(group), "--storage-account", account, "--include-deleted"
        )
        named = [item for item in found if item["name"] == share]
        if any(not item.get("deleted") for item in named):
            return ""
        return str(named[-1]["version"]) if named else ""

    def recover_share(self, account: str, share: str, version: str, group: str) -> None:
        """Bring a deleted share back, with its snapshots. Raises AzureError."""
        self.ask(
            *("storage", "share-rm", "restore", *self._in(group), "--storage-account", account),
            *("--name", share, "--deleted-version", version),
        )

    def vault_deleted(self, vault: str) -> bool:
        """Tell whether a vault is deleted and can be recovered. Raises AzureError."""
        found = self.ask_list(
            "keyvault", "list-deleted", "--subscription", self.subscription, "--resource-type", "vault"
        )
        return any(item["name"] == vault for item in found)

    def recover_vault(self, vault: str) -> None:
        """Bring a deleted vault back, with all its secrets. Raises AzureError."""
        self.ask("keyvault", "recover", "--name", vault, "--subscription", self.subscription)

    def deleted_secrets(self, vault: str) -> set[str]:
        """Return the names of deleted secrets that can be recovered. Raises AzureError."""
        return {item["name"] for item in self.ask_list("keyvault", "secret", "list-deleted", *self._vault(vault))}

    def recover_secret(self, vault: str, name: str) -> None:
        """Bring a deleted secret back, with all its versions. Raises AzureError."""
        self.ask("keyvault", "secret", "recover", *self._vault(vault), "--name", name)

    def bring_back(self, vault: str, secret: SecretVersion) -> None:
        """Make the value of an earlier version the present one, as a new version. Raises AzureError.

        The value goes through a file that this user alone can read, never over a command line.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "value"
            place = (*self._vault(vault), "--name", secret.name)
            self.tell("keyvault", "secret", "download", *place, "--version", secret.version, "--file", str(path))
            self.tell(
                *("keyvault", "secret", "set", *place, "--file", str(path), "--encoding", "utf-8"),
                *("--output", "none"),
            )

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
        """Return the current version of every secret; no value is asked for. Raises AzureError.

        Not of what the cluster keeps: of a certificate the newest is the only one of use.
        """
        found = (item["name"] for item in self.ask_list("keyvault", "secret", "list", *self._vault(vault)))
        names = [name for name in found if not name.startswith(KEPT)]
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
