"""`az` over the fake cloud of a rehearsal: what Terraform makes there, `az` sees, and the other way round."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scripts.azure.cli import Cli
from scripts.azure.resources import Azure
from scripts.core.azure import AzureError
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from tests.support.azure_words import options_of, pairs_of

DISK, LOCK = "azurerm_managed_disk", "azurerm_management_lock"
SNAPSHOT, SERVER = "azurerm_snapshot", "azurerm_postgresql_flexible_server"
INSTANCE = "azurerm_data_protection_backup_instance_disk"
_LOCKS = "/providers/Microsoft.Authorization/locks/"


@dataclass
class CloudCli:
    """Answers the commands of disks, snapshots, locks, backup instances and servers from one fake cloud."""

    cloud: Cloud
    subscription: str
    secrets: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Vault to name to values, oldest first; a version is called by its place."""
    blobs: dict[str, str] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Disks and snapshots of other environments, by lower-case id."""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    before: Callable[[tuple[str, ...]], None] = lambda _call: None
    """Called with every command; raises what shall go wrong."""

    def azure(self, _subscription: str = "") -> Azure:
        """Return what production code asks."""
        return Azure(Cli(subscription=self.subscription, ask=self.answer, ask_list=self.answer, tell=self.answer))

    def answer(self, *words: str, login: str = "") -> Any:  # noqa: ARG002
        """Do what a command says and answer like `az`."""
        self.calls.append(words)
        self.before(words)
        at = next((at for at, word in enumerate(words) if word.startswith("--")), len(words))
        handler = getattr(self, "_" + "_".join(words[:at]).replace("-", "_"), None)
        assert handler, f"no such command: az {' '.join(words[:at])}"
        return handler(options_of(words[at:]))

    def add(self, type_: str, id_: str, state: dict[str, Any]) -> None:
        """Let something exist that Terraform does not know."""
        self.cloud.create(
            CloudObject(
                key=f"{type_}|{id_.lower()}", provider="azurerm", type=type_, id=id_, scope="", stack="",
                address="", generation=1, state={"id": id_, "name": id_.rsplit("/", 1)[-1], **state},
            )
        )  # fmt: skip

    def _group(self, options: dict[str, str]) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{options['resource-group']}"

    def _in(self, type_: str, options: dict[str, str]) -> list[CloudObject]:
        inside = f"{self._group(options)}/".lower()
        return [one for one in self.cloud.objects(type_) if one.id.lower().startswith(inside)]

    def _snapshot_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        others = (one for one in self.others.values() if "/snapshots/" in one["id"])
        inside = f"/resourcegroups/{options['resource-group']}/".lower()
        return [_shown(one) for one in self._in(SNAPSHOT, options)] + [
            one for one in others if inside in one["id"].lower()
        ]

    def _snapshot_show(self, options: dict[str, str]) -> dict[str, Any]:
        return self._one(self._snapshot_list(options), options)

    def _snapshot_create(self, options: dict[str, str]) -> dict[str, Any]:
        id_ = f"{self._group(options)}/providers/Microsoft.Compute/snapshots/{options['name']}"
        if self.cloud.by_id(SNAPSHOT, id_) is None:
            source = self._source(options["source"])
            state = {
                "location": options["location"], "disk_size_gb": source["diskSizeGb"],
                "source_resource_id": options["source"], "tags": pairs_of(options.get("tags", "")),
            }  # fmt: skip
            self.add(SNAPSHOT, id_, state)
        return self._snapshot_show(options)

    def _snapshot_delete(self, options: dict[str, str]) -> str:
        return self._delete(SNAPSHOT, options["ids"])

    def _disk_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        others = (one for one in self.others.values() if "/disks/" in one["id"])
        inside = f"/resourcegroups/{options['resource-group']}/".lower()
        return [_shown(one) for one in self._in(DISK, options)] + [one for one in others if inside in one["id"].lower()]

    def _disk_show(self, options: dict[str, str]) -> dict[str, Any]:
        return self._one(self._disk_list(options), options)

    def _disk_create(self, options: dict[str, str]) -> dict[str, Any]:
        id_ = f"{self._group(options)}/providers/Microsoft.Compute/disks/{options['name']}"
        self._source(options["source"])
        like = self._in(DISK, options)[0]
        state = {
            **like.state, "id": id_, "name": options["name"], "create_option": "Copy",
            "source_resource_id": options["source"],
            "disk_size_gb": int(options["size-gb"]), "storage_account_type": options["sku"],
            "zone": options.get("zone") or None, "location": options["location"],
        }  # fmt: skip
        key = like.key.replace(like.id, id_).replace(like.id.lower(), id_.lower())
        self.cloud.create(replace(like, key=key, id=id_, state=state, address="", stack=""))
        return self._disk_show(options)

    def _disk_delete(self, options: dict[str, str]) -> str:
        return self._delete(DISK, options["ids"])

    def _lock_create(self, options: dict[str, str]) -> dict[str, Any]:
        id_ = f"{options['resource']}{_LOCKS}{options['name']}"
        if self.cloud.by_id(LOCK, id_) is None:
            self.add(LOCK, id_, {"scope": options["resource"], "lock_level": "CanNotDelete"})
        return {"id": id_}

    def _lock_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"id": one.id} for one in self._in(LOCK, options)]

    def _lock_delete(self, options: dict[str, str]) -> str:
        if found := self.cloud.by_id(LOCK, options["ids"]):
            self.cloud.delete(found.key)
        return ""

    def _dataprotection_backup_instance_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": one.id.rsplit("/", 1)[-1]} for one in self._in(INSTANCE, options)]

    def _dataprotection_backup_instance_delete(self, options: dict[str, str]) -> str:
        (vault,) = self.cloud.objects("azurerm_data_protection_backup_vault")
        if vault.state["immutability"] != "Disabled":
            raise AzureError("az dataprotection failed: the vault is immutable")
        return self._delete(INSTANCE, f"{vault.id}/backupInstances/{options['backup-instance-name']}")

    def _dataprotection_backup_instance_stop_protection(self, _options: dict[str, str]) -> str:
        return ""

    def _postgres_flexible_server_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {"id": one.id, "name": one.state["name"], "storage": {"storageSizeGb": 32}}
            for one in self._in(SERVER, options)
        ]

    def _postgres_flexible_server_delete(self, options: dict[str, str]) -> str:
        policies = self.cloud.objects("azurerm_resource_group_policy_assignment")
        if any("/llm-dev-database/" in f"{one.id}/" for one in policies):
            raise AzureError("az postgres failed: (RequestDisallowedByPolicy)")
        return self._delete(SERVER, options["ids"])

    def _keyvault_list_deleted(self, _options: dict[str, str]) -> list[dict[str, Any]]:
        return []

    def _keyvault_secret_list_deleted(self, _options: dict[str, str]) -> list[dict[str, Any]]:
        return []

    def _keyvault_secret_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.secrets[options["vault-name"]]]

    def _keyvault_secret_list_versions(self, options: dict[str, str]) -> list[dict[str, Any]]:
        values = self.secrets[options["vault-name"]].get(options["name"], [])
        return [{"id": f"/{at}", "attributes": {"created": f"{at:04}", "enabled": True}} for at, _ in enumerate(values)]

    def _keyvault_secret_download(self, options: dict[str, str]) -> str:
        value = self.secrets[options["vault-name"]][options["name"]][int(options["version"])]
        Path(options["file"]).write_text(value, "utf-8")
        return ""

    def _keyvault_secret_set(self, options: dict[str, str]) -> str:
        values = self.secrets[options["vault-name"]].setdefault(options["name"], [])
        values.append(Path(options["file"]).read_text("utf-8"))
        return ""

    def _storage_blob_list(self, options: dict[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in sorted(self.blobs) if name.startswith(options["prefix"])]

    def _storage_blob_upload(self, options: dict[str, str]) -> str:
        self.blobs[options["name"]] = Path(options["file"]).read_text("utf-8")
        return ""

    def _storage_blob_download(self, options: dict[str, str]) -> str:
        Path(options["file"]).write_text(self.blobs[options["name"]], "utf-8")
        return ""

    def _storage_blob_delete(self, options: dict[str, str]) -> str:
        del self.blobs[options["name"]]
        return ""

    def _source(self, id_: str) -> dict[str, Any]:
        found = self.cloud.by_id(DISK, id_) or self.cloud.by_id(SNAPSHOT, id_)
        if found:
            return _shown(found)
        if id_.lower() in self.others:
            return self.others[id_.lower()]
        raise AzureError(f"az failed: (ResourceNotFound) {id_} was not found")

    @staticmethod
    def _one(found: list[dict[str, Any]], options: dict[str, str]) -> dict[str, Any]:
        for one in found:
            if one["name"] == options["name"]:
                return one
        raise AzureError(f"az failed: (ResourceNotFound) {options['name']} was not found")

    def _delete(self, type_: str, id_: str) -> str:
        if any(one.id.lower().startswith(f"{id_}{_LOCKS}".lower()) for one in self.cloud.objects(LOCK)):
            raise AzureError(f"az failed: (ScopeLocked) {id_} is locked")
        if found := self.cloud.by_id(type_, id_):
            self.cloud.delete(found.key)
        return ""


def _shown(one: CloudObject) -> dict[str, Any]:
    state = one.state
    return {
        "id": one.id,
        "name": one.id.rsplit("/", 1)[-1],
        "location": state.get("location", ""),
        "diskSizeGb": state.get("disk_size_gb"),
        "sku": {"name": state.get("storage_account_type")},
        "zones": [state["zone"]] if state.get("zone") else None,
        "creationData": {"sourceResourceId": state.get("source_resource_id", "")},
        "tags": state.get("tags") or {},
        "diskState": "Unattached",
        "provisioningState": "Succeeded",
    }
