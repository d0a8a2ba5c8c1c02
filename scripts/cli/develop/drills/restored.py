"""Data is taken back to an earlier time: disks made from snapshots, and the database, and the way back from both."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scripts.cli.database.restore import FOLLOWING, Restore
from scripts.cli.database.server import AzureServers
from scripts.cli.restore.disk_switch import DiskSwitch
from scripts.core import environment_file
from scripts.core.consent import Consent
from scripts.deployment.disks_in_state import DISK
from scripts.lab.drills.base import Finding, Size
from scripts.lab.drills.stage import Recovery, Stage
from scripts.lab.drills.watched import watched
from stacks.settings.data import DataDisk

from .way_out import tools_on

_SERVER = "azurerm_postgresql_flexible_server"
_WITH_DATABASE = ("database", *FOLLOWING)
_WITH_DISKS = ("disks", "platform")
"""Stacks that a restore deploys; what others hold is compared all the same."""
_EARLIEST, _MOMENT = "2026-10-30T00:00:00Z", "2026-11-01T12:00:00Z"


def restore(stage: Stage, _size: Size) -> Iterator[Finding]:
    """Restore the database and the disks, each there and back; what was in use before has to be the same as before."""
    if "platform" not in stage.stacks:
        return
    forms = {
        "PostgreSQL to an earlier time": (lambda: _database(stage), _WITH_DATABASE),
        "PostgreSQL, and back": (lambda: _database(stage, back=True), _WITH_DATABASE),
        "every disk from a snapshot": (lambda: _disks(stage), _WITH_DISKS),
        "every disk, and back": (lambda: _disks(stage, back=True), _WITH_DISKS),
    }
    for what, (play, changed) in forms.items():
        with environment_file.files_below(stage.folder):
            yield watched(stage, what, play, *changed)


def _servers(stage: Stage) -> Mapping[str, str]:
    return {it.id.rsplit("/", 1)[-1]: it.id for it in stage.cloud().objects(_SERVER)}


def _database(stage: Stage, *, back: bool = False) -> Recovery:
    def ask(*arguments: str) -> dict[str, Any]:
        if arguments[2] == "list":
            return {"servers": sorted(_servers(stage))}
        return {"state": "Ready", "backup": {"earliestRestoreDate": _EARLIEST}}

    name = stage.settings.name
    work = Restore(
        name,
        Consent(name, yes=True),
        verify=lambda _settings, _connect, _patience_s: None,
        azure=AzureServers(ask),
        tools=tools_on(stage),
    )
    before = _servers(stage)
    restored = work.run(_MOMENT)
    if back:
        restored = work.abort()
    recovery = Recovery(runs=2 if back else 1)
    in_use = {
        it["name"] for address, it in stage.rehearsal.instances("database").items() if address.startswith(f"{_SERVER}.")
    }
    if in_use != {restored.server} or (restored.server in before) is not back:
        recovery.unexplained.append(f"{', '.join(in_use)} is in use")
    recovery.set_aside += [_servers(stage)[left] for left in restored.left]
    return recovery


def _disks(stage: Stage, *, back: bool = False) -> Recovery:
    before = {it.id.rsplit("/", 1)[-1]: it.id for it in stage.cloud().objects(DISK)}
    names = stage.settings.azure_names
    for disk in DataDisk:
        _made(stage, names.data_disk(disk.value, 1), names.data_disk(disk.value, 2))
    ids = {it.id.rsplit("/", 1)[-1]: it.id for it in stage.cloud().objects(DISK)}
    (vault,) = stage.cloud().objects("azurerm_data_protection_backup_vault")
    switch = DiskSwitch(
        environment=stage.settings.name,
        tools=tools_on(stage),
        disk_ids=ids,
        vault_id=vault.id,
        stop=lambda _kubectl, _workload: None,
        start=lambda _kubectl, _workload: None,
        detached=lambda _kubectl, _volume: None,
    )
    switch.run(dict.fromkeys(DataDisk, 2))
    if back:
        switch.run(dict.fromkeys(DataDisk, 1))
    aside = {name: id_ for name, id_ in ids.items() if (name in before) is not back}
    backups = [f"{vault.id}/backupInstances/{name}" for name in aside]
    # An id of the first generation is the beginning of that of the second.
    exact = [f"{id_}/" for id_ in aside.values()]
    return Recovery(runs=2 if back else 1, set_aside=[*aside.values(), *exact, *backups])


def _made(stage: Stage, old: str, new: str) -> None:
    """Let Azure hold a disk made of a snapshot, as `az disk create` leaves it."""
    cloud = stage.cloud()
    (found,) = (it for it in cloud.objects(DISK) if it.id.endswith(f"/{old}"))
    id_ = found.id.removesuffix(old) + new
    key = found.key.replace(found.id, id_).replace(found.id.lower(), id_.lower())
    state = {**found.state, "id": id_, "name": new, "create_option": "Copy"}
    cloud.create(replace(found, key=key, id=id_, state=state, address="", stack=""))
