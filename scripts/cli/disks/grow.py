"""`llmctl disks grow`: a larger data disk, its store stopped while Azure changes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from scripts.cli.options import Environment, Yes
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.pausing import pause, resume
from scripts.cluster.volumes import wait_until_detached
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.environment_file import AgreedEdit, edited
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import Targets, default_environment
from scripts.deployment.bring_up import bring_up, failure_code
from scripts.opik.cluster import NAMESPACE
from scripts.terraform.prepare import Job
from stacks.platform.components.opik.settling import WORKLOADS
from stacks.platform.components.opik.stores import stores
from stacks.settings.data import DataDisk

STACKS = ("disks", "platform")
_PATIENCE = "--timeout=30m"
_PATIENCE_S = 1860.0


def grow(
    context: typer.Context,
    disk: Annotated[DataDisk, typer.Argument(metavar="DISK", help="mysql, clickhouse, zookeeper, minio or redis.")],
    size_gib: Annotated[int, typer.Argument(metavar="SIZE", help="New size in GiB; disks never shrink.")],
    environment: Environment = None,
    *,
    yes: Yes = False,
) -> None:
    """Grow a data disk that is in use.

    Writes the size into the environment file, shows the plan of `disks` and `platform` and asks, stops the disk's store
    (Opik is without it for some minutes), waits until no node has the disk, deploys, and starts the store again; the
    file system grows when the disk is mounted. The store is started in any case: running this once more does so after
    this machine was switched off in between, and so does `llmctl disks resume`.

    Examples: `llmctl disks grow clickhouse 256 prod`, `llmctl disks grow mysql 64 dev --yes`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    deployed = int(tools.outputs_of(name, "disks")["disks"]["sizes_gib"][disk.value])
    if size_gib < deployed:
        raise OperatorError(f"{disk} has {deployed} GiB, and disks never shrink", code=ExitCode.REFUSED)
    consent = Consent(name, yes, terminal=tools.terminal)
    consent.require_answerable()
    kubectl = tools.kubectl_of(name)
    volume = next(store.volume for store in stores(settings) if store.disk is disk)

    def stop() -> None:
        err.print(f"Stopping {WORKLOADS[disk]}", markup=False)
        pause(kubectl, NAMESPACE, WORKLOADS[disk])
        wait_until_detached(kubectl, volume)

    with edited(name, ("disks", f"{disk}_gib"), str(size_gib)) as edit:
        try:
            _deploy(name, _StoppingConsent(**vars(consent), edit=edit, stop=stop), tools)
        finally:
            resume(kubectl, NAMESPACE, WORKLOADS[disk])
    _wait(kubectl, disk)
    out.print(f"{disk} has {size_gib} GiB. Commit environments/{name}.yaml.")


@dataclass(frozen=True, kw_only=True)
class _StoppingConsent(AgreedEdit):
    """Consent after which the store is stopped: nothing stands still while somebody reads the plan."""

    stop: Callable[[], None]

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:
        super().obtain(question, lost)
        self.stop()


def _deploy(name: str, consent: Consent, tools: Tools) -> None:
    targets = Targets(name, STACKS)
    with tools.rollout(Job("disks grow", targets, tools.workspace(name))) as run:
        if not bring_up(run, targets, consent):
            raise OperatorError(
                "the disk is not what the file says; its store is started again",
                "correct what is wrong and run this again",
                failure_code(run),
            )


def _wait(kubectl: Kubectl, disk: DataDisk) -> None:
    err.print("Waiting until the store runs")
    kubectl.run("rollout", "status", WORKLOADS[disk], "-n", NAMESPACE, _PATIENCE, timeout_s=_PATIENCE_S)
