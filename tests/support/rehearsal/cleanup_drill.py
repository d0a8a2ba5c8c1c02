"""An environment in a rehearsal folder, of which parts are given up with the product's own synthesis and commands."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.cli.cleanup.cleanup import Cleanup
from scripts.cli.tools import Tools
from scripts.core.consent import Consent
from scripts.core.targets import Targets
from scripts.core.tiers import DURABLE
from scripts.deployment.bring_up import bring_up
from scripts.deployment.leaving.modes import Mode
from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.drive import Rehearsal
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.synthesis import synthesize
from stacks.settings import load_settings
from tests.support.rehearsal.azure_cli import CloudCli


class CleanupDrill:
    """The environment `dev`, its durable stacks alone."""

    def __init__(self, folder: Path, *, fresh: bool = True) -> None:
        self.settings = load_settings("dev")
        self.rehearsal = Rehearsal(self.settings, folder, fresh=fresh)
        self.az = CloudCli(Cloud(folder), self.settings.azure.subscription_id)
        self.tools = Tools(
            workspace=lambda _environment: self.rehearsal.workspace, rollout=self.rollout, azure_of=self.az.azure
        )

    @contextmanager
    def rollout(self, job: Job) -> Iterator[Rollout]:
        """Do what `prepare.rollout` does, without its lock, which other tests hold."""
        synthesize(job.workspace, self.rehearsal.processes)
        run = self.rehearsal.rollout(*job.targets.stacks, destroy=job.destroy)
        try:
            yield run
        finally:
            run.discard_plans()

    def job(self, action: str, *stacks: str, destroy: bool = False) -> Job:
        """Return what to do to stacks, to the durable ones where none is named."""
        return Job(action, Targets("dev", stacks or DURABLE), self.rehearsal.workspace, destroy=destroy)

    def deploy(self, *stacks: str) -> None:
        job = self.job("deploy", *stacks)
        with self.rollout(job) as run:
            assert bring_up(run, job.targets, Consent("dev", yes=True))

    def clean_up(self, mode: Mode, *, keep_backups: bool = False) -> None:
        Cleanup(self.settings, mode, self.tools, keep_backups).run()

    def add_remains(self) -> None:
        """Let a backup set exist, and what restores have put aside: a disk with lock and backup, a server."""
        azure, names = self.az.azure(), self.settings.azure_names
        for disk in self.az.cloud.objects("azurerm_managed_disk"):
            name = disk.id.rsplit("/", 1)[-1]
            tags = {"purpose": "backup-set", "backup-set": "20261130t030000z"}
            group = names.resource_group("disks-backup-sets")
            made = azure.compute.make_snapshot(f"{name}-set", group, disk.id, region="westeurope", tags=tags)
            azure.locks.put(made["id"], "keep-backup-set", "")
        for type_ in ("azurerm_managed_disk", "azurerm_data_protection_backup_instance_disk"):
            (one,) = (it for it in self.az.cloud.objects(type_) if it.id.endswith("/llm-dev-mysql"))
            aside = {**one.state, "disk_id": f"{one.state.get('disk_id')}-2", "disk_size_gb": 32}
            self.az.add(type_, f"{one.id}-2", aside)
            if type_ == "azurerm_managed_disk":
                azure.locks.put(f"{one.id}-2", "keep", "")
        (server,) = self.az.cloud.objects("azurerm_postgresql_flexible_server")
        self.az.add("azurerm_postgresql_flexible_server", f"{server.id}2", dict(server.state))

    def lives(self) -> dict[str, int]:
        """Return which life each object of the fake cloud is in, by type and name."""
        found = Cloud(self.rehearsal.folder).objects()
        return {f"{it.type} {it.id.split('/versions')[0].rsplit('/', 1)[-1]}": it.generation for it in found}


def main(arguments: Sequence[str]) -> None:
    """Do one mode in a folder that is set up."""
    folder, mode = arguments
    CleanupDrill(Path(folder), fresh=False).clean_up(Mode(mode))


if __name__ == "__main__":
    main(sys.argv[1:])
