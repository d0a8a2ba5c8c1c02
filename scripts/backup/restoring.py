"""What a restore of a set does, decided before anything is done, and the journal by which it goes on.

The journal lies beside the manifests, so that whoever continues or aborts need not be who began.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum

from pydantic import ValidationError

from scripts.core.errors import ExitCode, OperatorError
from stacks.common.azure_names import AzureNames
from stacks.settings.data import DataDisk
from stacks.settings.secrets.names import SECRETS, GeneratedSecret

from . import manifest as manifests
from .manifest import Manifest, SecretVersion
from .store import Store

JOURNAL = "restores/current.json"
MANIFEST = "restores/manifest.json"
"""The manifest of a set of another environment, beside the journal: whoever goes on need not reach its container."""
PASSWORDS_ON_DISKS = ("opik-mysql-root-password", "opik-mysql-password")
"""Secrets that MySQL keeps on its disk: a restored disk expects those of its time. Others are read at each start."""
ADMINISTRATOR = GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD.value
"""A restored server keeps the administrator's password of the one that it was restored from."""
TOGETHER = frozenset({DataDisk.CLICKHOUSE, DataDisk.ZOOKEEPER})


class RestorePart(StrEnum):
    """A part of a set that can be restored by itself."""

    DISKS = "disks"
    DATABASE = "database"
    UPLOADS = "uploads"
    VAULT = "vault"


class Move(manifests.Part):
    """A disk that gives its place to another one."""

    before: int
    """Generation of the disk that was in use."""
    after: int
    """Generation of the one that is restored."""


class Journal(manifests.Part):
    """A restore that has begun: what was decided, and which parts are done."""

    set_id: str
    source: str = ""
    """Environment that the set is of, where that is another one."""
    server_before: str = ""
    """PostgreSQL server that was in use before."""
    parts: tuple[RestorePart, ...]
    disks: Mapping[DataDisk, Move] = {}
    secrets: tuple[SecretVersion, ...] = ()
    """Versions of the set whose values become the present ones."""
    secrets_before: tuple[SecretVersion, ...] = ()
    """Versions that secrets had before the set's values came back."""
    values_back: bool = False
    """Whether the set's values of secrets have come back."""
    done: tuple[RestorePart, ...] = ()

    def finished(self, part: RestorePart) -> "Journal":
        """Return the journal with one more part done."""
        return self.model_copy(update={"done": (*self.done, part)})

    @property
    def complete(self) -> bool:
        """Whether every part is done."""
        return set(self.parts) <= set(self.done)


def read(store: Store) -> Journal | None:
    """Return the journal of the restore that has begun; None when none has. Raises OperatorError."""
    if JOURNAL not in store.names("restores"):
        return None
    try:
        return Journal.model_validate_json(store.text(JOURNAL))
    except ValidationError:
        raise OperatorError(f"{JOURNAL} is no journal of a restore that this version reads") from None


def write(store: Store, journal: Journal) -> None:
    """Write the journal. Raises OperatorError."""
    store.put(JOURNAL, journal.model_dump_json(indent=2) + "\n")


def clear(store: Store) -> None:
    """End the restore: another one may begin. Raises OperatorError."""
    there = store.names("restores")
    for name in (MANIFEST, JOURNAL):
        if name in there:
            store.delete(name)


def chosen_disks(disks: Collection[DataDisk], parts: Collection[RestorePart]) -> tuple[DataDisk, ...]:
    """Return the disks to restore: all unless some are named. Raises OperatorError for what does not fit together."""
    if RestorePart.DISKS not in parts:
        return ()
    chosen = tuple(disk for disk in DataDisk if not disks or disk in disks)
    if len(TOGETHER & set(chosen)) == 1:
        raise OperatorError(
            "ClickHouse and ZooKeeper hold one state: restored alone, every table would be read-only",
            "add `--disk clickhouse --disk zookeeper`",
            ExitCode.USAGE,
        )
    return chosen


def free_generation(names: AzureNames, disk: DataDisk, current: int, there: Iterable[str]) -> int:
    """Return the next generation of a disk whose name no disk has."""
    taken = set(there)
    number = current + 1
    while names.data_disk(disk.value, number) in taken:
        number += 1
    return number


def generation_of(names: AzureNames, name: str) -> tuple[DataDisk, int] | None:
    """Return disk and generation of a name; None for a name of something else."""
    for disk in DataDisk:
        base = names.data_disk(disk.value, 1)
        if name == base:
            return disk, 1
        if found := re.fullmatch(rf"{re.escape(base)}-([1-9]\d?)", name):
            return disk, int(found[1])
    return None


def to_bring_back(manifest: Manifest, current: Mapping[str, str], *, all_of_them: bool) -> tuple[SecretVersion, ...]:
    """Return the versions of the set that are no longer the present ones.

    A deleted one comes back with its versions. Without `all_of_them` only those that a restored disk expects: a secret
    rotated since was rotated for a reason.
    """
    if manifest.vault is None:
        return ()
    return tuple(
        secret
        for secret in manifest.vault.secrets
        if secret.name in current
        and current[secret.name] != secret.version
        and (all_of_them or secret.name in PASSWORDS_ON_DISKS)
    )


def needed_elsewhere(
    manifest: Manifest, current: Mapping[str, str], parts: Collection[RestorePart]
) -> tuple[SecretVersion, ...]:
    """Return the versions of the set whose values another environment needs for the parts that it takes over.

    What a store keeps, or has encrypted, has to match (`SecretSpec.kept_by`); the password of a restored server's
    administrator as well. Other generated values stay the environment's own. With the vault come secrets that people
    have added.
    """
    if manifest.vault is None:
        return ()
    vault = RestorePart.VAULT in parts
    beginnings = [
        *(("opik-",) if vault or RestorePart.DISKS in parts else ()),
        *(("chat-", "gateway-") if vault or RestorePart.DATABASE in parts else ()),
    ]
    kept = {name.value for name, spec in SECRETS.items() if spec.kept_by and name.startswith(tuple(beginnings))}
    if RestorePart.DATABASE in parts:
        kept.add(ADMINISTRATOR)
    own = set(GeneratedSecret)
    return tuple(
        secret
        for secret in manifest.vault.secrets
        if secret.name in kept or (vault and secret.name not in own and secret.name not in current)
    )


def plan(manifest: Manifest, journal: Journal, secrets: Iterable[SecretVersion], names: AzureNames) -> Iterator[str]:
    """Yield what a restore does, in order, in words."""
    where = f" in {journal.source}" if journal.source else ""
    if not manifest.deployed:
        yield "versions: the set names none; make sure that nothing here is older than what wrote it"
    for secret in secrets:
        yield f"vault: {secret.name} gets its value of then{where}, as a new version"
    for disk, move in journal.disks.items():
        before, after = names.data_disk(disk.value, move.before), names.data_disk(disk.value, move.after)
        yield f"disk {disk}: {manifest.snapshot(disk).name} becomes {after}; {before} stays, locked"
    if journal.disks:
        yield "Opik is stopped, the stacks disks and platform are deployed, Opik starts on the restored disks"
    if RestorePart.DATABASE in journal.parts and manifest.database:
        yield f"database: {manifest.database.server} as of {manifest.database.moment}, into a new server beside it"
    if RestorePart.UPLOADS in journal.parts and manifest.uploads:
        way = f", through the chat of {journal.source}" if journal.source else ""
        yield f"uploads: files that are missing come back from the snapshot of {manifest.uploads.moment}{way}"
    yield "then what is there is counted and compared with the set"
