"""An environment of fakes that a backup set can be made of."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.backup.counts import Counted
from scripts.backup.create import Making, Part
from scripts.backup.manifest import Code
from scripts.backup.place import Place, place_of
from scripts.backup.quiesce import Quiescence
from scripts.cli.backup.opened import Opened
from scripts.core.errors import OperatorError
from scripts.cost.meters import Meter
from scripts.cost.sources import Sources
from stacks.common.one_way_record import record_of
from stacks.settings import Settings, parse_settings
from stacks.settings.cluster import ReleaseRecords
from stacks.settings.data import DataDisk

from .azure import ACCOUNT, CONTAINER, SUBSCRIPTION, FakeAzure, group
from .cluster import FakeClock, FakeKubectl, FakeStores

BACKUP_VAULT = "/providers/Microsoft.DataProtection/backupVaults/llm-dev-backup"
FILE = f"""\
name: dev
azure: {{subscription_id: {SUBSCRIPTION}, region: westeurope}}
domain: llm-dev.example.com
ingress: {{acme_email: platform@example.com}}
"""


def settings(more: str = "", region: str = "westeurope") -> Settings:
    """Return the settings of the environment."""
    return parse_settings(FILE.replace("westeurope", region) + more, "dev.yaml", "dev")


def outputs(of: Settings) -> dict[str, dict[str, Any]]:
    """Return what the durable stacks publish."""
    disks = f"{group('llm-dev-disks')}/providers/Microsoft.Compute/disks"
    return {
        "disks": {
            "resource_group_name": "llm-dev-disks",
            "one_way": record_of(of, "disks"),
            "backup_vault_id": f"{group('llm-dev-disks')}{BACKUP_VAULT}",
            "storage_account_name": "llmdevfilabcde",
            "chat_uploads_share_name": "chat-uploads",
            "sizes_gib": {disk.value: of.disks.size_gib(disk) for disk in DataDisk},
            "backup_sets_group_name": "llm-dev-disks-backup-sets",
            "backup_sets_account_name": ACCOUNT,
            "backup_sets_container_name": CONTAINER,
            **{
                f"{disk}_disk_id": f"{disks}/{of.azure_names.data_disk(disk, of.disks.generations.get(disk, 1))}"
                for disk in DataDisk
            },
        },
        "database": {
            "resource_group_name": "llm-dev-database",
            "one_way": record_of(of, "database"),
            "server_name": "llm-dev-pg-46cy3",
            "vault_name": "llm-dev-46cy3",
        },
    }


class Backed:
    """The environment."""

    def __init__(self, more: str = "", region: str = "westeurope") -> None:
        self.settings = settings(more, region)
        self.azure = FakeAzure(
            secrets={
                "opik-mysql-password": [("one", "old value", True), ("two", "present value", True)],
                "database-chat-password": [("first", "chat value", True)],
                # Kept by the cluster, and no part of a set.
                "kept-certificate-chat": [("newest", "certificate", True)],
            }
        )
        self.kubectl = FakeKubectl()
        self.stores = FakeStores()
        self.time = FakeClock()
        self.users = [10, 12]
        """Users in the database, one count after the other; the last one stays."""
        for disk in self.place.disks.values():
            self.azure.add_disk(disk.id, disk.size_gib)

    @property
    def place(self) -> Place:
        """Where the parts are."""
        return place_of(self.settings, outputs(self.settings))

    @property
    def quiescence(self) -> Quiescence:
        """What stops writes."""
        return Quiescence(self.kubectl, self.stores.stores(), self.time.clock())

    def _chat(self, _program: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        assert parameters["tables"]["users"] == "user"
        yield {"counts": {"users": self.users.pop(0) if len(self.users) > 1 else self.users[0], "chats": 40}}

    def making(self, *left_out: Part) -> Making:
        """Return what makes a set."""
        return Making(
            environment="dev",
            place=self.place,
            azure=self.azure.azure(),
            store=self.azure.store(),
            kubectl=self.kubectl,
            quiescence=self.quiescence,
            counted=Counted(opik=self.stores.stores().counts, chat=self._chat),
            code=Code(revision="a" * 40, changed=False, settings=FILE),
            release_records=ReleaseRecords.CONFIG_MAPS,
            left_out=left_out,
            clock=self.time.clock(),
        )

    def opened(self) -> Opened:
        """Return what commands work on."""
        return Opened(
            settings=self.settings,
            place=self.place,
            azure=self.azure.azure(),
            store=self.azure.store(),
            kubectl=lambda: self.kubectl,
            stores=lambda _kubectl: self.stores.stores(),
            clock=self.time.clock(),
            sources=Sources(self._no_price_list, folder=Path("no-prices")),
        )

    @staticmethod
    def _no_price_list(_region: str, _meters: Iterable[Meter]) -> Mapping[str, float]:
        raise OperatorError("no network")
