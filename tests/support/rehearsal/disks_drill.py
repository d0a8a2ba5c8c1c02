"""An environment in a folder, deployed to the fake cloud, whose disks are taken over by others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from main import build_app
from scripts.cli.backup.opened import Opened, opened
from scripts.cli.database.restore import Restore
from scripts.cli.database.server import AzureServers
from scripts.cli.restore.disk_switch import DiskSwitch
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from stacks.settings import Settings, parse_settings
from stacks.settings.data import DataDisk
from tests.support.backup.cluster import FakeKubectl

from .azure_cli import CloudCli
from .deployed import deployed_once
from .file_drill import SMALLEST

DISK = "azurerm_managed_disk"
FILE = f"""{SMALLEST}\
chat: {{enabled: false}}
gateway: {{enabled: false}}
disks: # with a comment that stays
  backup_time: "04:00"
"""


class DisksDrill:
    """An environment in a folder, deployed, with its file beside it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "environments" / "dev.yaml"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(FILE, "utf-8")
        self.rehearsal = Rehearsal(parse_settings(FILE, "dev.yaml", "dev"), folder / "drill")
        self.cloud = Cloud(self.rehearsal.folder)
        self.az = CloudCli(self.cloud, self.rehearsal.settings.azure.subscription_id)
        self.kubectl = FakeKubectl()
        self.stopped: list[str] = []

    def synthesize(self) -> None:
        self.rehearsal.workspace.output.mkdir(parents=True, exist_ok=True)
        build_app(self.settings(), self.rehearsal.workspace.output).synth()

    def deploy_once(self, shared: Path) -> None:
        """Deploy everything, or take over what another test of this run has deployed."""
        self.synthesize()
        self.cloud.close()
        deployed_once(self.rehearsal, shared)
        self.cloud = self.az.cloud = Cloud(self.rehearsal.folder)

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Do what `prepare.rollout` does, in the drill's folder."""
        self.synthesize()
        run = self.rehearsal.rollout(*job.targets.stacks)
        try:
            yield run
        finally:
            run.discard_plans()

    def restored_in_azure(self, store: str) -> None:
        """Let Azure hold a disk made of a snapshot, as `az disk create` leaves it."""
        (old,) = (found for found in self.disks() if found.id.endswith(f"llm-dev-{store}"))
        new = f"{old.id}-2"
        state = {**old.state, "id": new, "name": f"llm-dev-{store}-2", "create_option": "Copy"}
        self.cloud.create(replace(old, key=old.key.replace(old.id, new).replace(old.id.lower(), new.lower()), id=new,
                                  state=state, address="", stack=""))  # fmt: skip

    def disks(self) -> list[CloudObject]:
        return self.cloud.objects(DISK)

    @property
    def tools(self) -> Tools:
        """What commands reach this environment with."""
        return Tools(
            load=lambda _name: self.settings(),
            rollout=self.rollout,
            kubectl_of=lambda _name: self.kubectl,
            outputs_of=lambda _name, *stacks: {stack: self.rehearsal.outputs(stack) for stack in stacks},
            azure_of=self.az.azure,
        )

    def opened(self) -> Opened:
        """Return the parts that backups and restores work on."""
        found = opened(self.tools, "dev")
        return replace(found, store=replace(found.store, ask_list=self.az.answer, tell=self.az.answer))

    def settings(self) -> Settings:
        """Return the settings of the file as it is now."""
        return parse_settings(self.file.read_text("utf-8"), "dev.yaml", "dev")

    def database(self, earliest: str) -> Restore:
        """Return what restores the database alone, from a server whose backups begin then."""

        def ask(*arguments: str) -> dict[str, Any]:
            if arguments[2] == "list":
                found = self.cloud.objects("azurerm_postgresql_flexible_server")
                return {"servers": sorted(one.id.rsplit("/", 1)[-1] for one in found)}
            return {"state": "Ready", "backup": {"earliestRestoreDate": earliest}}

        return Restore(
            "dev", Consent("dev", yes=True), 0, lambda *_: None, AzureServers(ask), (), Tools(rollout=self.rollout)
        )

    def switch(self) -> DiskSwitch:
        """Return what changes disks."""
        ids = {found.id.rsplit("/", 1)[-1]: found.id for found in self.disks()}
        (vault,) = self.cloud.objects("azurerm_data_protection_backup_vault")
        return DiskSwitch(
            environment="dev",
            tools=self.tools,
            disk_ids=ids,
            vault_id=vault.id,
            stop=lambda _kubectl, workload: self.stopped.append(workload),
            start=lambda _kubectl, _workload: None,
            detached=lambda _kubectl, _volume: None,
        )

    def in_state(self) -> set[str]:
        """Return the names of the disks that Terraform manages."""
        run = self.rehearsal.rollout("disks")
        return {v["name"] for a, v in run.runner("disks").resources().items() if a.startswith(f"{DISK}.")}

    def locked(self) -> set[str]:
        return {found.id.rsplit("/", 5)[-5] for found in self.cloud.objects("azurerm_management_lock")}

    def protected(self) -> set[str]:
        instances = self.cloud.objects("azurerm_data_protection_backup_instance_disk")
        return {found.id.rsplit("/", 1)[-1] for found in instances}

    def volumes(self) -> set[Any]:
        platform = self.rehearsal.state_file("platform").read_text("utf-8")
        return {disk.value for disk in DataDisk if f"disks/llm-dev-{disk}-2" in platform}
