"""A restore of a backup set beside what is there, and the way back: decided once, then done part by part."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.backup import counts, restoring
from scripts.backup.counts import Counted
from scripts.backup.manifest import Count, Manifest, SecretVersion
from scripts.backup.restoring import Journal, Move, RestorePart
from scripts.cli.backup.opened import Opened
from scripts.cluster.pod_program import PodProgram
from scripts.core.consent import Consent, confirm_by_name
from scripts.core.console import err, report
from scripts.core.errors import ExitCode, OperatorError
from stacks.common.azure_names import AzureNames
from stacks.platform.components.chat.names import UPLOADS_FOLDER
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from .disk_switch import DiskSwitch

MISSING_FILES = Path(restoring.__file__).with_name("missing_files.py")
LOCK = "keep"
"""Name of the lock that the stack `disks` puts on a disk."""
RESTORED_TAG = "restored-from"


@dataclass(frozen=True, kw_only=True)
class SetRestore:
    """Restores of one environment; tests hand over what it reaches the outside with."""

    opened: Opened
    consent: Consent
    load: Callable[[], Settings]
    """Reads the environment file as it is now."""
    switch: Callable[[Mapping[str, str]], DiskSwitch]
    """Gives what changes disks, from the ids of all disks by name."""
    database: Callable[[str, str], object]
    """Restores PostgreSQL: moment, id of the server."""
    database_back: Callable[[], object]
    """Goes back to the server before."""
    counted: Callable[[], Counted]
    chat: Callable[[], PodProgram]
    """Runs a program in a pod that mounts the uploads."""

    def run(
        self, set_id: str, parts: Collection[RestorePart], disks: Collection[DataDisk], *, dry_run: bool = False
    ) -> list[str]:
        """Restore, or go on with the restore that has begun; return in which counts the set and the result differ.

        Raises OperatorError; run again, it goes on where it stopped.
        """
        journal = restoring.read(self.opened.store)
        if journal is not None and not journal.complete:
            self._require_same(journal, set_id)
            manifest = self.opened.store.read(journal.set_id)
            report(f"Going on with the restore of {journal.set_id}")
        else:
            manifest = self.opened.store.read(set_id)
            journal = self._decided(manifest, parts, disks)
            for line in restoring.plan(manifest, journal, self._secrets(manifest, journal), self._names):
                err.print(f"  {line}", markup=False, soft_wrap=True)
            if dry_run:
                return []
            self.consent.obtain(f"Restore this from {manifest.id} into {manifest.environment}?", {})
            restoring.write(self.opened.store, journal)
        for part, act in self._steps(manifest).items():
            if part in journal.parts and part not in journal.done:
                act(journal)
                journal = journal.finished(part)
                restoring.write(self.opened.store, journal)
        return self._differences(manifest, journal)

    def use(self, names: Collection[str]) -> None:
        """Use disks that exist, by name: such as those that Azure Backup restored, or those of before.

        Raises OperatorError; run again, it goes on.
        """
        ids, generations = self._disk_ids(), {}
        for name in names:
            found = restoring.generation_of(self._names, name)
            if found is None or name not in ids:
                raise OperatorError(
                    f"{name} is no disk of {self.opened.settings.name}",
                    f"its disks: {', '.join(sorted(ids))}",
                    ExitCode.USAGE,
                )
            generations[found[0]] = found[1]
        restoring.chosen_disks(tuple(generations), (RestorePart.DISKS,))
        self.consent.obtain(f"Stop Opik and let it use {', '.join(names)}? What it uses now stays.", {})
        self.switch(ids).run(generations)

    def abort(self) -> list[str]:
        """Go back to what was in use before the restore that has begun; return what stays, in words.

        Raises OperatorError; run again, it goes on.
        """
        journal = restoring.read(self.opened.store)
        if journal is None:
            raise OperatorError("no restore has begun", "llmctl backup list", ExitCode.USAGE)
        self.consent.obtain(f"Go back to what was in use before the restore of {journal.set_id}?", {})
        stays = []
        if journal.disks:
            stays += self._disks_back(journal)
        for secret in journal.secrets_before:
            self._bring_back(secret)
        if RestorePart.UPLOADS in journal.done:
            stays.append("uploads that had been missing: nothing was overwritten, so they stay")
        if RestorePart.DATABASE in journal.parts and self._database_is_of(self.opened.store.read(journal.set_id)):
            self.database_back()
        restoring.clear(self.opened.store)
        return stays

    def discard(self, name: str, confirmed: str | None) -> None:
        """Delete a disk that is no longer in use, by its name. Raises OperatorError (REFUSED) for one in use."""
        found = restoring.generation_of(self._names, name)
        ids = self._disk_ids()
        if found is None or name not in ids:
            known = sorted(set(ids) - set(self._in_use()))
            raise OperatorError(
                f"{name} is no disk of {self.opened.settings.name} that could be discarded",
                f"these could: {', '.join(known)}" if known else "there is none that is not in use",
                ExitCode.USAGE,
            )
        if name in self._in_use():
            raise OperatorError(f"{name} is in use; nothing was deleted", code=ExitCode.REFUSED)
        journal = restoring.read(self.opened.store)
        if journal is not None and not journal.complete:
            raise OperatorError(
                f"the restore of {journal.set_id} has not ended, so that the old disks are still its way back",
                "finish it, or go back with --abort",
                ExitCode.REFUSED,
            )
        confirm_by_name(
            name,
            confirmed,
            f"Delete the disk {name} with everything on it, for good?",
            done="deleted",
            terminal=self.consent.terminal,
        )
        try:
            self.opened.azure.stop_protection(self.opened.place.backup_vault_id, name)
        except OperatorError as error:
            # A disk that never got its backup has none to stop.
            report(f"No backup of {name} was stopped: {error.message}")
        self.opened.azure.unlock(ids[name], LOCK)
        self.opened.azure.delete_disk(ids[name])

    def _steps(self, manifest: Manifest) -> dict[RestorePart, Callable[[Journal], None]]:
        return {
            RestorePart.VAULT: lambda journal: self._vault(manifest, journal),
            RestorePart.DISKS: lambda journal: self._disks(manifest, journal),
            RestorePart.DATABASE: lambda _journal: self._database(manifest),
            RestorePart.UPLOADS: lambda _journal: self._uploads(manifest),
        }

    def _decided(self, manifest: Manifest, parts: Collection[RestorePart], disks: Collection[DataDisk]) -> Journal:
        chosen = tuple(part for part in RestorePart if part in parts)
        ids = self._disk_ids()
        settings = self.load()
        moves = {}
        for disk in restoring.chosen_disks(disks, chosen):
            manifest.snapshot(disk)
            current = settings.disks.generations.get(disk, 1)
            moves[disk] = Move(before=current, after=restoring.free_generation(self._names, disk, current, ids))
        lacking = {RestorePart.DATABASE: manifest.database, RestorePart.UPLOADS: manifest.uploads,
                   RestorePart.VAULT: manifest.vault}  # fmt: skip
        if missing := [part for part, found in lacking.items() if part in chosen and found is None]:
            raise OperatorError(
                f"the set {manifest.id} holds no {' and no '.join(missing)}", "choose parts with --only", ExitCode.USAGE
            )
        journal = Journal(set_id=manifest.id, parts=chosen, disks=moves)
        current_versions = self._versions(manifest) if manifest.vault else {}
        before = tuple(
            SecretVersion(name=secret.name, version=current_versions[secret.name])
            for secret in self._secrets(manifest, journal)
            if secret.name in current_versions
        )
        return journal.model_copy(update={"secrets_before": before})

    def _require_same(self, journal: Journal, set_id: str) -> None:
        if set_id not in ("latest", journal.set_id):
            raise OperatorError(
                f"a restore of {journal.set_id} has begun and is not finished",
                f"`llmctl restore {self.opened.settings.name}` goes on with it, --abort goes back",
                ExitCode.REFUSED,
            )

    def _vault(self, manifest: Manifest, journal: Journal) -> None:
        azure, vault = self.opened.azure, manifest.vault
        assert vault is not None
        if azure.vault_deleted(vault.vault):
            report(f"Recovering the vault {vault.vault}")
            azure.recover_vault(vault.vault)
        for name in sorted(azure.deleted_secrets(vault.vault) & {secret.name for secret in vault.secrets}):
            report(f"Recovering the secret {name}")
            azure.recover_secret(vault.vault, name)
        self._values(manifest, journal)

    def _values(self, manifest: Manifest, journal: Journal) -> None:
        done = {secret.name for secret in journal.secrets_before}
        for secret in self._secrets(manifest, journal):
            if secret.name in done:
                self._bring_back(secret)

    def _bring_back(self, secret: SecretVersion) -> None:
        report(f"{secret.name} gets the value of its version {secret.version[:8]}…")
        self.opened.azure.bring_back(self.opened.place.vault, secret)

    def _disks(self, manifest: Manifest, journal: Journal) -> None:
        if RestorePart.VAULT not in journal.parts:
            self._values(manifest, journal)
        ids = self._disk_ids()
        for disk, move in journal.disks.items():
            name = self._names.data_disk(disk.value, move.after)
            if name not in ids:
                report(f"Making {name} from its snapshot")
                ids[name] = self._made(manifest, disk, name)
        self.switch(ids).run({disk: move.after for disk, move in journal.disks.items()})

    def _made(self, manifest: Manifest, disk: DataDisk, name: str) -> str:
        settings, place, snapshot = self.load(), self.opened.place, manifest.snapshot(disk)
        disks = settings.disks
        made = self.opened.azure.disk_from(
            snapshot.id,
            name,
            place.disks_group,
            region=place.region,
            sku=f"{disks.tier}_{disks.redundancy.upper()}",
            size_gib=max(snapshot.size_gib, disks.size_gib(disk)),
            zone=disks.lrs_zone if disks.redundancy == "lrs" else None,
            encryption_set=settings.cluster.disk_encryption_set_id,
            tags={**place.tags, RESTORED_TAG: manifest.id},
        )
        return str(made["id"])

    def _disks_back(self, journal: Journal) -> list[str]:
        """Use the disks of before again; delete restored ones that were never in use."""
        ids, settings = self._disk_ids(), self.load()
        switched = any(settings.disks.generations.get(disk, 1) == move.after for disk, move in journal.disks.items())
        if switched:
            self.switch(ids).run({disk: move.before for disk, move in journal.disks.items()})
        stays = []
        for disk, move in journal.disks.items():
            name = self._names.data_disk(disk.value, move.after)
            if name not in ids:
                continue
            if switched:
                stays.append(f"{name}, no longer in use: --discard-old {name}")
            else:
                self.opened.azure.delete_disk(ids[name])
        return stays

    def _database_is_of(self, manifest: Manifest) -> bool:
        """Tell whether the environment file has changed over to the server that the set's restore made."""
        return manifest.database is not None and self.load().database.restore_time_utc == manifest.database.moment

    def _database(self, manifest: Manifest) -> None:
        assert manifest.database is not None
        self.database(manifest.database.moment, manifest.database.server_id)

    def _uploads(self, manifest: Manifest) -> None:
        azure, place, uploads = self.opened.azure, self.opened.place, manifest.uploads
        assert uploads is not None
        if version := azure.deleted_share(uploads.account, uploads.share, place.disks_group):
            report(f"Recovering the deleted share {uploads.share}")
            azure.recover_share(uploads.account, uploads.share, version, place.disks_group)
        program = MISSING_FILES.read_text("utf-8")
        for line in self.chat()(program, {"folder": UPLOADS_FOLDER, "moment": uploads.moment}):
            if why := line.get("refused"):
                raise OperatorError(f"uploads: {why}", "llmctl backup verify; is the chat running?")
            report(f"{line['restored']} files came back, {line['there']} were there")

    def _differences(self, manifest: Manifest, journal: Journal) -> list[str]:
        counted = self.counted()
        expected: dict[str, Count] = {}
        found: dict[str, int] = {}
        if RestorePart.DISKS in journal.parts:
            expected |= {kind: count for kind, count in manifest.counts.items() if kind in counts.OPIK}
            found |= counted.traces()
        in_database = {k: c for k, c in manifest.counts.items() if k not in counts.OPIK and k != counts.FILES}
        files = {k: c for k, c in manifest.counts.items() if k == counts.FILES}
        for part, kinds in ((RestorePart.DATABASE, in_database), (RestorePart.UPLOADS, files)):
            if part in journal.parts and kinds:
                expected |= kinds
                found |= counted.database()
        return counts.differences(expected, found)

    def _secrets(self, manifest: Manifest, journal: Journal) -> tuple[SecretVersion, ...]:
        wanted = RestorePart.VAULT in journal.parts
        if manifest.vault is None or not (wanted or RestorePart.DISKS in journal.parts):
            return ()
        return restoring.to_bring_back(
            manifest, self._versions(manifest), all_of_them=wanted and RestorePart.DISKS not in journal.parts
        )

    def _versions(self, manifest: Manifest) -> dict[str, str]:
        """Return the present version of every secret; none of a vault that is deleted."""
        assert manifest.vault is not None
        if self.opened.azure.vault_deleted(manifest.vault.vault):
            return {}
        state = self.opened.azure.vault(manifest.vault.vault)
        return {secret.name: secret.version for secret in state.secrets}

    def _disk_ids(self) -> dict[str, str]:
        return {item["name"]: item["id"] for item in self.opened.azure.disks(self.opened.place.disks_group)}

    def _in_use(self) -> list[str]:
        generations = self.load().disks.generations
        return [self._names.data_disk(disk.value, generations.get(disk, 1)) for disk in DataDisk]

    @property
    def _names(self) -> AzureNames:
        return self.opened.place.names
