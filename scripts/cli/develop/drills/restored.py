"""Data is taken back to an earlier time: disks made from snapshots, and the database, and the way back from both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.cli.database.restore import FOLLOWING, Restore
from scripts.cli.database.server import AzureServers
from scripts.cli.restore.disk_switch import DiskSwitch
from scripts.core import environment_file
from scripts.core.consent import Consent
from scripts.deployment.disks_in_state import DISK
from scripts.lab.drills.base import Finding, Size
from scripts.lab.drills.recovery import Recovery
from scripts.lab.drills.stage import Stage
from scripts.lab.drills.watched import watched
from stacks.settings.data import DataDisk

from .way_out import tools_on

_SERVER = "azurerm_postgresql_flexible_server"
_EARLIEST, _MOMENT = "2026-10-30T00:00:00Z", "2026-11-01T12:00:00Z"


@dataclass(frozen=True)
class _Form:
    what: str
    play: Callable[[], Recovery]
    deploys: tuple[str, ...]
    """Stacks that it deploys; what others hold is compared all the same."""


def restore(stage: Stage, size: Size) -> Iterator[Finding]:
    """Restore the database and the disks, each there and back; what was in use before has to be the same as before."""
    for form in size.some(list(_forms(stage, size))):
        with environment_file.files_below(stage.folder):
            yield watched(stage, form.what, form.play, *form.deploys)


def _forms(stage: Stage, size: Size) -> Iterator[_Form]:
    taking_part = size.of(stage)
    following = tuple(stack for stack in FOLLOWING if stack in stage.stacks)
    if "database" in taking_part:
        deployed = ("database", *following)
        yield _Form("PostgreSQL to an earlier time", lambda: _database(stage, following), deployed)
        yield _Form("PostgreSQL, and back", lambda: _database(stage, following, back=True), deployed)
    if "disks" in taking_part and "platform" in stage.stacks:
        deployed = ("disks", "platform")
        disks = size.some(list(DataDisk))
        what = "every disk" if len(disks) == len(DataDisk) else f"the disk {', '.join(disks)}"
        yield _Form(f"{what} from a snapshot", lambda: _disks(stage, disks), deployed)
        yield _Form(f"{what}, and back", lambda: _disks(stage, disks, back=True), deployed)


def _servers(stage: Stage) -> Mapping[str, str]:
    return {it.id.rsplit("/", 1)[-1]: it.id for it in stage.cloud().objects(_SERVER)}


def _database(stage: Stage, following: tuple[str, ...], *, back: bool = False) -> Recovery:
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
        following=following,
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


def _disks(stage: Stage, disks: Sequence[DataDisk], *, back: bool = False) -> Recovery:
    before = {it.id.rsplit("/", 1)[-1]: it.id for it in stage.cloud().objects(DISK)}
    names = stage.settings.azure_names
    for disk in disks:
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
    switch.run(dict.fromkeys(disks, 2))
    if back:
        switch.run(dict.fromkeys(disks, 1))
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
