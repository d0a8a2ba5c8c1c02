"""A data disk is full: it grows while its store stands still, and holds what it held."""

from collections.abc import Iterator

import typer

from scripts.cli.disks.commands import app
from scripts.core import environment_file
from scripts.core.errors import OperatorError
from scripts.lab.drills.base import Finding, Size
from scripts.lab.drills.recovery import Recovery
from scripts.lab.drills.stage import Stage
from scripts.lab.drills.watched import watched
from stacks.settings.data import DataDisk

from .still_cluster import StillCluster
from .way_out import tools_on

_GROWTH = 2
_CHANGED = ("disks", "platform")
"""Stacks that a growth deploys."""


def disk_full(stage: Stage, size: Size) -> Iterator[Finding]:
    """Grow each data disk to twice its size with `llmctl disks grow`."""
    if "platform" not in stage.stacks:
        return
    for disk in size.some(list(DataDisk)):
        with environment_file.files_below(stage.folder):
            yield watched(stage, f"the disk {disk}", lambda disk=disk: _grown(stage, disk), *_CHANGED)  # type: ignore[misc]


def _grown(stage: Stage, disk: DataDisk) -> Recovery:
    name, cluster = stage.settings.name, StillCluster()
    size = _GROWTH * stage.settings.disks.size_gib(disk)
    tools = tools_on(stage, cluster)
    typer.main.get_command(app).main(
        ["grow", disk.value, str(size), name, "--yes"], prog_name="llmctl disks", obj=tools, standalone_mode=False
    )
    recovery = Recovery(runs=1)
    known = stage.settings.azure_names.data_disk(disk.value, 1)
    (found,) = (it for it in stage.cloud().objects("azurerm_managed_disk") if it.id.endswith(f"/{known}"))
    if found.state["disk_size_gb"] != size:
        recovery.unexplained.append(f"{known} has {found.state['disk_size_gb']} GiB")
    if stopped := [workload for workload, pods in cluster.replicas.items() if not pods]:
        raise OperatorError(f"still stopped: {', '.join(stopped)}")
    if not cluster.replicas:
        recovery.unexplained.append("its store was not stopped")
    return recovery
