"""Other disks in the place of those in use: file, state, cluster. The same steps lead there and back.

Each step looks at what is, so that the same command goes on after an interruption at any point.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.backup.quiesce import WRITERS
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import pause, resume
from scripts.cluster.volumes import wait_until_detached
from scripts.core import environment_file
from scripts.core.console import report
from scripts.core.errors import OperatorError
from scripts.core.targets import Targets
from scripts.deployment.disks_in_state import take_over, with_generations
from scripts.deployment.following import Following
from scripts.opik.cluster import NAMESPACE
from scripts.terraform.prepare import Job
from scripts.terraform.rollout import Rollout
from scripts.terraform.stack import StackRunner, TerraformError
from stacks.common.azure_names import AzureNames
from stacks.platform.components.opik.settling import WORKLOADS
from stacks.settings import Settings
from stacks.settings.data import DataDisk

REPLACED = ("kubernetes_persistent_volume_v1.", "kubernetes_persistent_volume_claim_v1.")
"""What names a disk in the cluster, and cannot name another one but by being made again; it holds no data."""


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
        after = with_generations(text, generations)
        settings = environment_file.parsed(self.environment, after)
        with self._stopped(before, generations):
            if after != text:
                environment_file.write(file, after)
            with self.tools.rollout(self._job("disks")) as run:
                self._take_over(run.runner("disks"), settings.azure_names, generations)
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

    def _take_over(self, runner: StackRunner, of: AzureNames, generations: Mapping[DataDisk, int]) -> None:
        """Let the state hold these disks with their locks and backups, as far as they exist."""
        names = [of.data_disk(disk.value, number) for disk, number in generations.items()]
        try:
            take_over(runner, {name: self.disk_ids[name] for name in names}, self.vault_id)
        except TerraformError as error:
            raise OperatorError(
                f"the state of disks does not hold the restored disks yet: {error.output.strip()}", self._again()
            ) from None

    def _deploy(self, run: Rollout, stack: str, expected: tuple[str, ...]) -> None:
        following = Following(
            environment=self.environment,
            # An abort goes back to disks that this command has found.
            checked=("disks.generations.",),
            connect=self.tools.kubectl_of,
            again=self._again(),
        )
        problem = f"the restored disks are there, but {stack} does not use them yet"
        following.deploy(run, (stack,), expected, problem)

    def _job(self, stack: str) -> Job:
        return Job("restore", Targets(self.environment, (stack,)), self.tools.workspace(self.environment))

    def _again(self) -> str:
        return (
            f"correct what is wrong, then `llmctl restore {self.environment}` goes on from here, and with --abort back;"
            " the old disks stand untouched"
        )
