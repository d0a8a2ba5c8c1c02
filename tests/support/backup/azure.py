"""A subscription in memory that answers the command lines of backup sets and restores as `az` does."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.azure.cli import Cli
from scripts.azure.resources import Azure
from scripts.backup.store import Store
from scripts.core.azure import AzureError
from tests.support.azure_words import command_of, options_of, pairs_of

SUBSCRIPTION = "00000000-5eed-4000-8000-000000000001"
ACCOUNT, CONTAINER = "llmdevbakabcde", "backup-sets"
EARLIEST = "2026-11-23T00:00:00+00:00"
_LOCKS = "/providers/Microsoft.Authorization/locks/"


def group(name: str) -> str:
    """Return the resource id of a group."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


@dataclass
class FakeAzure:
    """What exists, and every command that was given; a test may let the nth command fail, or anything else."""

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    locks: set[str] = field(default_factory=set)
    share_snapshots: list[str] = field(default_factory=list)
    deleted_shares: dict[str, str] = field(default_factory=dict)
    """Name to Azure's version."""
    shares: set[str] = field(default_factory=lambda: {"chat-uploads"})
    secrets: dict[str, list[tuple[str, str, bool]]] = field(default_factory=dict)
    """Name to version, value and whether it is enabled, oldest first."""
    deleted_secrets: dict[str, list[tuple[str, str, bool]]] = field(default_factory=dict)
    deleted_vaults: set[str] = field(default_factory=set)
    blobs: dict[str, list[str]] = field(default_factory=dict)
    """Every version of every blob."""
    earliest: str = EARLIEST
    calls: list[tuple[str, ...]] = field(default_factory=list)
    before: Callable[[tuple[str, ...]], None] = lambda _call: None
    """Called with every command; raises what shall go wrong."""
    copied_percent: float = 100

    def azure(self) -> Azure:
        """Return what production code asks."""
        return Azure(Cli(subscription=SUBSCRIPTION, ask=self.answer, ask_list=self.answer, tell=self.answer))

    def store(self) -> Store:
        """Return the container of manifests."""
        return Store(
            subscription=SUBSCRIPTION,
            account=ACCOUNT,
            container=CONTAINER,
            ask_list=self.answer,
            tell=self.answer,
        )

    def answer(self, *words: str, login: str = "") -> Any:  # noqa: ARG002
        """Do what a command says and answer like `az`."""
        self.calls.append(words)
        self.before(words)
        options = options_of(words)
        command = command_of(words)
        handler = getattr(self, "_" + "_".join(command).replace("-", "_"), None)
        assert handler, f"no such command: az {' '.join(command)}"
        return handler(options)

    def commands(self, *beginning: str) -> list[tuple[str, ...]]:
        """Return the commands that began so."""
        return [call for call in self.calls if call[: len(beginning)] == beginning]

    # Disks and snapshots

    def _snapshot_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        inside = f"{group(options['resource-group'])}/".lower()
        return [found for key, found in self.snapshots.items() if key.startswith(inside)]

    def _snapshot_create(self, options: dict[str, str]) -> dict[str, Any]:
        found_id = f"{group(options['resource-group'])}/providers/Microsoft.Compute/snapshots/{options['name']}"
        assert options["incremental"] == "true"
        source = options["source"]
        known = {**self.disks, **self.snapshots}
        if source.lower() not in known:
            raise AzureError(f"az snapshot failed: (ResourceNotFound) {source} is not there")
        made = {
            "id": found_id,
            "name": options["name"],
            "location": options["location"],
            "provisioningState": "Succeeded",
            "diskSizeGb": known[source.lower()]["diskSizeGb"],
            "creationData": {"createOption": "Copy", "sourceResourceId": source},
            "tags": pairs_of(options["tags"]),
            **({"completionPercent": self.copied_percent} if "copy-start" in options else {}),
        }
        return self.snapshots.setdefault(found_id.lower(), made)

    def _snapshot_show(self, options: dict[str, str]) -> dict[str, Any]:
        found = f"{group(options['resource-group'])}/providers/Microsoft.Compute/snapshots/{options['name']}".lower()
        if found not in self.snapshots:
            raise AzureError("az snapshot failed: (ResourceNotFound) it was not found")
        return self.snapshots[found]

    def _snapshot_delete(self, options: dict[str, str]) -> str:
        self._refuse_locked(options["ids"])
        self.snapshots.pop(options["ids"].lower())
        return ""

    def _disk_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        inside = f"{group(options['resource-group'])}/".lower()
        return [found for key, found in self.disks.items() if key.startswith(inside)]

    def _disk_create(self, options: dict[str, str]) -> dict[str, Any]:
        found_id = f"{group(options['resource-group'])}/providers/Microsoft.Compute/disks/{options['name']}"
        if options["source"].lower() not in self.snapshots:
            raise AzureError(f"az disk failed: (ResourceNotFound) {options['source']} is not there")
        return self.add_disk(
            found_id,
            int(options["size-gb"]),
            creationData={"createOption": "Copy", "sourceResourceId": options["source"]},
            sku={"name": options["sku"]},
            zones=[options["zone"]] if "zone" in options else None,
            tags=pairs_of(options["tags"]),
        )

    def add_disk(self, disk_id: str, size_gib: int, **more: Any) -> dict[str, Any]:
        """Let a disk exist."""
        name = disk_id.rsplit("/", 1)[-1]
        made = {"id": disk_id, "name": name, "diskSizeGb": size_gib, "provisioningState": "Succeeded", "tags": {}}
        return self.disks.setdefault(disk_id.lower(), {**made, **more})

    def _disk_delete(self, options: dict[str, str]) -> str:
        self._refuse_locked(options["ids"])
        self.disks.pop(options["ids"].lower(), None)
        return ""

    def _dataprotection_backup_instance_stop_protection(self, options: dict[str, str]) -> str:
        assert options["vault-name"] == "llm-dev-backup"
        return ""

    # Locks

    def _lock_create(self, options: dict[str, str]) -> dict[str, Any]:
        assert options["lock-type"] == "CanNotDelete"
        resource = options["resource"].lower()
        assert resource in {**self.snapshots, **self.disks}, resource
        self.locks.add(resource)
        return {"id": f"{options['resource']}{_LOCKS}{options['name']}"}

    def _lock_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        inside = f"{group(options['resource-group'])}/".lower()
        return [{"id": f"{key}{_LOCKS}any"} for key in self.locks if key.startswith(inside)]

    def _lock_delete(self, options: dict[str, str]) -> str:
        self.locks.discard(options["ids"].lower().partition(_LOCKS.lower())[0])
        return ""

    def _refuse_locked(self, resource: str) -> None:
        if resource.lower() in self.locks:
            raise AzureError(f"az failed: (ScopeLocked) {resource} is locked")

    # Uploads

    def _storage_share_rm_snapshot(self, options: dict[str, str]) -> dict[str, Any]:
        assert options["name"] in self.shares
        moment = f"2026-11-30T03:0{len(self.share_snapshots)}:00.1234567Z"
        self.share_snapshots.append(moment)
        return {"name": options["name"], "snapshotTime": moment}

    def _storage_share_rm_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{"name": name, "snapshotTime": None} for name in sorted(self.shares)]
        if "include-snapshot" in options:
            found += [{"name": "chat-uploads", "snapshotTime": moment} for moment in self.share_snapshots]
        if "include-deleted" in options:
            found += [{"name": n, "deleted": True, "version": v} for n, v in self.deleted_shares.items()]
        return found

    def _storage_share_rm_delete(self, options: dict[str, str]) -> str:
        self.share_snapshots.remove(options["snapshot"])
        return ""

    def _storage_share_rm_restore(self, options: dict[str, str]) -> dict[str, Any]:
        assert self.deleted_shares.pop(options["name"]) == options["deleted-version"]
        self.shares.add(options["name"])
        return {"name": options["name"]}

    # Database and vault

    def _postgres_flexible_server_show(self, options: dict[str, str]) -> dict[str, Any]:
        place = f"{group(options['resource-group'])}/providers/Microsoft.DBforPostgreSQL/flexibleServers"
        return {"id": f"{place}/{options['name']}", "backup": {"earliestRestoreDate": self.earliest}}

    def _keyvault_secret_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        assert options["vault-name"] not in self.deleted_vaults
        return [{"name": name, "id": f"https://v/secrets/{name}"} for name in self.secrets]

    def _keyvault_secret_list_versions(self, options: dict[str, str]) -> list[dict[str, Any]]:
        name = options["name"]
        return [
            {"id": f"https://v/secrets/{name}/{version}", "attributes": {"created": f"{at:04}", "enabled": enabled}}
            for at, (version, _, enabled) in enumerate(self.secrets.get(name, []))
        ]

    def _keyvault_secret_download(self, options: dict[str, str]) -> str:
        (value,) = (found for version, found, _ in self.secrets[options["name"]] if version == options["version"])
        Path(options["file"]).write_text(value, "utf-8")
        return ""

    def _keyvault_secret_set(self, options: dict[str, str]) -> str:
        versions = self.secrets.setdefault(options["name"], [])
        versions.append((f"{options['name']}-v{len(versions) + 1}", Path(options["file"]).read_text("utf-8"), True))
        return ""

    def _keyvault_secret_list_deleted(self, _options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.deleted_secrets]

    def _keyvault_secret_recover(self, options: dict[str, str]) -> dict[str, Any]:
        self.secrets[options["name"]] = self.deleted_secrets.pop(options["name"])
        return {"name": options["name"]}

    def _keyvault_list_deleted(self, _options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in sorted(self.deleted_vaults)]

    def _keyvault_recover(self, options: dict[str, str]) -> dict[str, Any]:
        self.deleted_vaults.remove(options["name"])
        return {"name": options["name"]}

    # Manifests

    def _storage_blob_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in sorted(self.blobs) if name.startswith(options["prefix"])]

    def _storage_blob_upload(self, options: dict[str, str]) -> str:
        assert (options["account-name"], options["container-name"]) == (ACCOUNT, CONTAINER)
        self.blobs.setdefault(options["name"], []).append(Path(options["file"]).read_text("utf-8"))
        return ""

    def _storage_blob_download(self, options: dict[str, str]) -> str:
        Path(options["file"]).write_text(self.blobs[options["name"]][-1], "utf-8")
        return ""

    def _storage_blob_delete(self, options: dict[str, str]) -> str:
        self.blobs.pop(options["name"])
        return ""

    def manifest(self, set_id: str) -> dict[str, Any]:
        """Return the newest version of a manifest."""
        found: dict[str, Any] = json.loads(self.blobs[f"sets/{set_id}.json"][-1])
        return found
