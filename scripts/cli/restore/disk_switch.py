"""Other disks in the place of those in use: file, state, cluster. The same steps lead there and back.

Each step looks at what is, so that the same command goes on after an interruption at any point.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.backup.quiesce import WRITERS
from scripts.cli.database.restore import AgreedLoss
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import pause, resume
from scripts.cluster.volumes import wait_until_detached
from scripts.core import environment_file
from scripts.core.console import report
from scripts.core.errors import OperatorError
from scripts.core.targets import Targets
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.deployment.going_back import GoingBack
from scripts.opik.cluster import NAMESPACE
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import StackRunner, TerraformError
from stacks.platform.components.opik.settling import WORKLOADS
from stacks.settings import Settings
from stacks.settings.data import DataDisk

DISK, LOCK = "azurerm_managed_disk", "azurerm_management_lock"
BACKUP = "azurerm_data_protection_backup_instance_disk"
REPLACED = ("kubernetes_persistent_volume_v1.", "kubernetes_persistent_volume_claim_v1.")
"""What names a disk in the cluster, and cannot name another one but by being made again; it holds no data."""
_NOT_THERE = "non-existent remote object"


@dataclass(frozen=True, kw_only=True)
class DiskSwitch:
    """A change of the disks that an environment uses."""

    environment: str
    tools: Tools
    disk_ids: Mapping[str, str]
    """Resource ids of all disks that exist, by name."""
    vault_id: str
    """The Backup vault."""
    stop: Callable[[Kubectl, str], object] = lambda kubectl, workload: pause(kubectl, NAMESPACE, workload)
    start: Callable[[Kubectl, str], object] = lambda kubectl, workload: resume(kubectl, NAMESPACE, workload)
    detached: Callable[[Kubectl, str], None] = wait_until_detached

    def run(self, generations: Mapping[DataDisk, int]) -> None:
        """Let the environment use the disks of these generations. Raises OperatorError; run again, it goes on."""
        file = environment_file.file_of(self.environment)
        text = file.read_text("utf-8")
        before = environment_file.parsed(self.environment, text)
        after = text
        for disk, generation in generations.items():
            after = environment_file.with_value(after, ("disks", "generations", disk.value), str(generation))
        settings = environment_file.parsed(self.environment, after)
        with self._stopped(before, generations):
            if after != text:
                environment_file.write(file, after)
            with self.tools.rollout(self._job("disks")) as run:
                self._take_over(run.runner("disks"), settings, generations)
                self._deploy(run, "disks", ())
            with self.tools.rollout(self._job("platform")) as run:
                self._deploy(run, "platform", REPLACED)

    @contextmanager
    def _stopped(self, settings: Settings, disks: Mapping[DataDisk, int]) -> Iterator[None]:
        """Within, no pod has one of the disks or writes to Opik; afterwards all run again, whatever happened."""
        if not settings.opik.enabled:
            yield
            return
        kubectl = self.tools.kubectl_of(self.environment)
        there = {item["metadata"]["name"] for item in kubectl.items("deployments", "-n", NAMESPACE)}
        writers = [f"deployment/{name}" for name in WRITERS if name in there]
        workloads = [*writers, *(WORKLOADS[disk] for disk in disks)]
        try:
            for workload in workloads:
                report(f"Stopping {workload}")
                self.stop(kubectl, workload)
            for disk in disks:
                current = settings.disks.generations.get(disk, 1)
                self.detached(kubectl, settings.azure_names.data_disk(disk.value, current))
            yield
        finally:
            # Stores first, as a restart does.
            for workload in reversed(workloads):
                self.start(kubectl, workload)

    def _take_over(self, runner: StackRunner, settings: Settings, generations: Mapping[DataDisk, int]) -> None:
        """Let the state hold these disks with their locks and backups, as far as they exist."""
        try:
            for disk, generation in generations.items():
                name = settings.azure_names.data_disk(disk.value, generation)
                self._take_over_one(runner, name)
        except TerraformError as error:
            raise OperatorError(
                f"the state of disks does not hold the restored disks yet: {error.output.strip()}", self._again()
            ) from None

    def _take_over_one(self, runner: StackRunner, name: str) -> None:
        addresses = addresses_of(runner, name)
        there = runner.resources()
        if addresses[DISK] in there and there[addresses[DISK]]["name"] != name:
            report(f"Out of the state, and left as it is in Azure: {there[addresses[DISK]]['name']}")
            runner.forget([address for address in addresses.values() if address in there])
            there = {}
        disk_id = self.disk_ids[name]
        ids = {
            DISK: disk_id,
            LOCK: f"{disk_id}/providers/Microsoft.Authorization/locks/keep",
            BACKUP: f"{self.vault_id}/backupInstances/{name}",
        }
        for kind, address in addresses.items():
            if address not in there:
                self._import(runner, address, ids[kind], may_lack=kind != DISK)

    @staticmethod
    def _import(runner: StackRunner, address: str, resource_id: str, *, may_lack: bool) -> None:
        try:
            runner.adopt(address, resource_id)
        except TerraformError as error:
            if not may_lack or _NOT_THERE not in " ".join(error.output.split()):
                raise

    def _deploy(self, run: Rollout, stack: str, expected: tuple[str, ...]) -> None:
        consent = AgreedLoss(self.environment, yes=True, expected=expected)
        problem = f"the restored disks are there, but {stack} does not use them yet"
        # An abort goes back to disks that this command has found.
        back = GoingBack(checked=("disks.generations.",), connect=self.tools.kubectl_of)
        try:
            if bring_up(run, Targets(self.environment, (stack,)), consent, back=back):
                return
        except OperatorError as error:
            raise OperatorError(f"{problem}: {error.message}", error.fix or self._again(), error.code) from None
        raise OperatorError(problem, self._again(), failure_code(run))

    def _job(self, stack: str) -> Job:
        return Job("restore", Targets(self.environment, (stack,)), self.tools.workspace(self.environment))

    def _again(self) -> str:
        return (
            f"correct what is wrong, then `llmctl restore {self.environment}` goes on from here, and with --abort back;"
            " the old disks stand untouched"
        )


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
