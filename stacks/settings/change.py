"""Changes of an environment file that Azure cannot carry out on what exists and holds data.

Terraform would replace the resource instead, and `prevent_destroy` would stop it in the middle of a deployment; here
the answer comes before anything runs. Disposable resources are created again as needed and are not looked at.
"""

from collections.abc import Iterator, Mapping

from .azure import StateSettings
from .cluster import ClusterSettings
from .data import DatabaseSettings, DataDisk, DiskSettings, RegistrySettings
from .environment import Settings
from .errors import Key, dotted
from .placeholders import placeholders
from .rules.base import Finding
from .workloads import IdentitySettings

CHAT_UPLOADS = "chat-uploads"
"""Name of the file share among the deployed sizes."""

_FIXED: dict[Key, str] = {
    ("name",): "it is part of every Azure name, so that everything would be made a second time",
    ("prefix",): "it is part of every Azure name, so that everything would be made a second time",
    ("azure", "subscription_id"): "resources do not move between subscriptions; write a new environment",
    ("azure", "region"): "disks, database and vault do not move between regions; write a new environment",
    ("disks", "redundancy"): "Azure does not convert disks that exist; restore them from backups with a new generation",
    ("vault", "soft_delete_days"): "Azure fixes it when the vault is created",
}
"""Keys that keep their value as long as the environment lives, and why."""


def check_change(previous: Settings, current: Settings) -> list[str]:
    """Return one line for each change from `previous` to `current` that what exists cannot follow."""
    return [f"{dotted(finding.key)}: {finding.message}" for finding in refused_changes(previous, current)]


def refused_changes(previous: Settings, current: Settings) -> Iterator[Finding]:
    """Yield the changes from `previous` to `current` that what exists cannot follow, with what to do instead.

    A placeholder of `previous` binds nobody: nothing was ever deployed with it.
    """
    standing_in = {finding.key for finding in placeholders(previous)}
    yield from (finding for finding in _changes(previous, current) if finding.key not in standing_in)


def _changes(previous: Settings, current: Settings) -> Iterator[Finding]:
    for key, why in _FIXED.items():
        before = _at(previous, key)
        if before != _at(current, key):
            yield Finding(key, f"cannot change from {_written(before)}: {why}")
    yield from _disks(previous.disks, current.disks)
    yield from _disk_key(previous.cluster, current.cluster)
    yield from _shrunk(previous.disks.generations, _sizes(previous.disks), current.disks)
    yield from _database(previous.database, current.database)
    yield from _registry(previous.registry, current.registry, zoned=bool(current.azure.zones))
    yield from _identity(previous.identity, current.identity)
    yield from _state(previous.state, current.state)
    for name, version in previous.secrets.versions.items():
        if current.secrets.versions.get(name, 1) < version:
            yield Finding(("secrets", "versions", name), f"cannot go back from {version}: versions only grow")


def shrunk_since_deployment(deployed_gib: Mapping[str, int], current: Settings) -> Iterator[Finding]:
    """Yield the sizes of `current` below those of the disks and the share that are deployed, by their names."""
    yield from _shrunk(current.disks.generations, deployed_gib, current.disks)


def _sizes(disks: DiskSettings) -> dict[str, int]:
    return {disk.value: disks.size_gib(disk) for disk in DataDisk} | {CHAT_UPLOADS: disks.chat_uploads_gib}


def _disks(before: DiskSettings, after: DiskSettings) -> Iterator[Finding]:
    if before.redundancy == after.redundancy and before.lrs_zone != after.lrs_zone:
        moved = f"cannot change from {_written(before.lrs_zone)}: disks do not move between zones"
        yield Finding(("disks", "lrs_zone"), f"{moved}; restore them from backups with a new generation")


def _disk_key(before: ClusterSettings, after: ClusterSettings) -> Iterator[Finding]:
    own_key = before.disk_encryption_set_id
    if own_key and after.disk_encryption_set_id is None:
        kept = f"cannot be removed: Azure does not go back to its own key for disks that exist; write {own_key}"
        yield Finding(("cluster", "disk_encryption_set_id"), kept)


def _shrunk(generations: Mapping[DataDisk, int], before: Mapping[str, int], disks: DiskSettings) -> Iterator[Finding]:
    for name, size in _sizes(disks).items():
        key: Key = ("disks", f"{name.replace('-', '_')}_gib")
        disk = None if name == CHAT_UPLOADS else DataDisk(name)
        old, new = generations.get(disk, 1) if disk else 1, disks.generations.get(disk, 1) if disk else 1
        if new < old:
            yield Finding(("disks", "generations", name), f"cannot go back from {old}: generations only grow")
        elif new == old and size < before.get(name, size):
            yield Finding(key, f"cannot shrink from {before[name]}: disks and shares only grow; write {before[name]}")


def _database(before: DatabaseSettings, after: DatabaseSettings) -> Iterator[Finding]:
    if after.generation < before.generation:
        yield Finding(("database", "generation"), f"cannot go back from {before.generation}: generations only grow")
    if after.generation != before.generation:
        return
    if after.storage_gib < before.storage_gib:
        yield Finding(
            ("database", "storage_gib"),
            f"cannot shrink from {before.storage_gib}: storage only grows; write {before.storage_gib}",
        )
    if int(after.version) < int(before.version):
        yield Finding(("database", "version"), f"cannot go back from {before.version}: PostgreSQL is only upgraded")
    if after.geo_redundant_backup != before.geo_redundant_backup:
        fixed = "is fixed when the server is created; restore to a new one, raising database.generation, to change it"
        yield Finding(("database", "geo_redundant_backup"), fixed)
    if before.high_availability == after.high_availability == "off" and before.zone != after.zone:
        moved = f"cannot change from {before.zone}: the server stays in its zone; restore to a new one to move it"
        yield Finding(("database", "zone"), moved)
    for name in ("restore_from_server_id", "restore_time_utc"):
        if getattr(after, name) not in {None, getattr(before, name)}:
            effect = "has no effect on the server that exists; raise database.generation to restore into a new one"
            yield Finding(("database", name), effect)


def _registry(before: RegistrySettings, after: RegistrySettings, *, zoned: bool) -> Iterator[Finding]:
    if before.tier == "Premium" != after.tier and zoned:
        yield Finding(
            ("registry", "tier"),
            "cannot change from Premium in a region with zones: the registry stays zone-redundant, which the provider"
            " takes for Premium alone; write Premium",
        )


def _identity(before: IdentitySettings, after: IdentitySettings) -> Iterator[Finding]:
    if before.manage and not after.manage:
        kept = "cannot be turned off: the application that people log in with would be deleted"
        yield Finding(("identity", "manage"), kept)
    elif before.manage and after.manage and before.access_group_object_id is None and after.access_group_object_id:
        kept = "cannot be given any more: the group that the platform made would be deleted; add its members there"
        yield Finding(("identity", "access_group_object_id"), kept)


def _state(before: StateSettings, after: StateSettings) -> Iterator[Finding]:
    if _place(before) != _place(after):
        key: Key = ("state", "backend") if before.backend is not after.backend else ("state", after.backend.value)
        yield Finding(
            key,
            "points Terraform at another state, where nothing exists yet; move the state of every stack there"
            " first with `llmctl state migrate`, then commit this change",
        )


def _place(state: StateSettings) -> tuple[object, ...]:
    """Return what of the settings decides where the state is; how it is reached and who runs it does not."""
    hcp = state.hcp and (state.hcp.hostname, state.hcp.organization)
    blob = state.azurerm and (state.azurerm.resource_group, state.azurerm.storage_account, state.azurerm.container)
    return state.backend, blob, hcp


def _at(settings: Settings, key: Key) -> object:
    value: object = settings
    for part in key:
        value = getattr(value, str(part))
    return value


def _written(value: object) -> str:
    return "nothing" if value is None else str(value)
