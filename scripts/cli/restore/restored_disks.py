"""Disks made of a set's snapshots, used in the place of others, and discarded by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from scripts.azure.compute import NewDisk
from scripts.backup import restoring
from scripts.backup.manifest import Manifest, Snapshot
from scripts.backup.restoring import Journal, Move
from scripts.core.consent import Consent, confirm_by_name
from scripts.core.console import report
from scripts.core.errors import ExitCode, OperatorError
from scripts.deployment.disks_in_state import LOCK_NAME
from stacks.settings.data import DataDisk

from .reach import Reach

RESTORED_TAG = "restored-from"


@dataclass(frozen=True)
class RestoredDisks:
    """Disks of one environment."""

    reach: Reach

    def moves(self, manifest: Manifest, disks: Collection[DataDisk]) -> dict[DataDisk, Move]:
        """Return which disk takes whose place. Raises OperatorError for disks that cannot be made of the set."""
        ids, settings = self.ids(), self.reach.load()
        found = {}
        for disk in disks:
            snapshot = manifest.snapshot(disk)
            if snapshot.size_gib > settings.disks.size_gib(disk):
                raise OperatorError(
                    f"{snapshot.name} has {snapshot.size_gib} GiB, {settings.name} gives {disk}"
                    f" {settings.disks.size_gib(disk)}, and disks do not shrink",
                    f"set disks.{disk}_gib to {snapshot.size_gib} or more",
                    ExitCode.SETTINGS,
                )
            self._source(manifest, snapshot)
            current = settings.disks.generations.get(disk, 1)
            found[disk] = Move(before=current, after=restoring.free_generation(self.reach.names, disk, current, ids))
        return found

    def make_and_use(self, manifest: Manifest, moves: Mapping[DataDisk, Move]) -> None:
        """Make what is not there yet, and let the environment use it. Raises OperatorError."""
        ids = self.ids()
        for disk, move in moves.items():
            name = self.reach.names.data_disk(disk.value, move.after)
            if name not in ids:
                report(f"Making {name} from its snapshot")
                ids[name] = self._made(manifest, disk, name)
        self.reach.switch(ids).run({disk: move.after for disk, move in moves.items()})

    def use(self, names: Collection[str], consent: Consent) -> None:
        """Use disks that exist, by name: such as those that Azure Backup restored, or those of before.

        Raises OperatorError; run again, it goes on.
        """
        ids, generations = self.ids(), {}
        for name in names:
            found = restoring.generation_of(self.reach.names, name)
            if found is None or name not in ids:
                raise OperatorError(
                    f"{name} is no disk of {self.reach.opened.settings.name}",
                    f"its disks: {', '.join(sorted(ids))}",
                    ExitCode.USAGE,
                )
            generations[found[0]] = found[1]
        restoring.chosen_disks(tuple(generations), (restoring.RestorePart.DISKS,))
        consent.obtain(f"Stop Opik and let it use {', '.join(names)}? What it uses now stays.", {})
        self.reach.switch(ids).run(generations)

    def back(self, moves: Mapping[DataDisk, Move]) -> list[str]:
        """Use the disks of before again; delete restored ones that were never in use, and return those that stay."""
        ids, settings = self.ids(), self.reach.load()
        switched = any(settings.disks.generations.get(disk, 1) == move.after for disk, move in moves.items())
        if switched:
            self.reach.switch(ids).run({disk: move.before for disk, move in moves.items()})
        stays = []
        for disk, move in moves.items():
            name = self.reach.names.data_disk(disk.value, move.after)
            if name not in ids:
                continue
            if switched:
                stays.append(f"{name}, no longer in use: --discard-old {name}")
            else:
                self.reach.opened.azure.compute.delete_disk(ids[name])
        return stays

    def discard(self, name: str, journal: Journal | None, consent: Consent, confirmed: str | None) -> None:
        """Delete a disk that is no longer in use, by its name. Raises OperatorError (REFUSED) for one in use."""
        found, ids, in_use = restoring.generation_of(self.reach.names, name), self.ids(), self._in_use()
        if found is None or name not in ids:
            known = sorted(set(ids) - set(in_use))
            raise OperatorError(
                f"{name} is no disk of {self.reach.opened.settings.name} that could be discarded",
                f"these could: {', '.join(known)}" if known else "there is none that is not in use",
                ExitCode.USAGE,
            )
        if name in in_use:
            raise OperatorError(f"{name} is in use; nothing was deleted", code=ExitCode.REFUSED)
        if journal is not None and not journal.complete:
            raise OperatorError(
                f"the restore of {journal.set_id} has not ended, so that the old disks are still its way back",
                "finish it, or go back with --abort",
                ExitCode.REFUSED,
            )
        question = f"Delete the disk {name} with everything on it, for good?"
        confirm_by_name(name, confirmed, question, done="deleted", terminal=consent.terminal)
        azure = self.reach.opened.azure
        try:
            azure.protection.stop(self.reach.opened.place.backup_vault_id, name)
        except OperatorError as error:
            # A disk that never got its backup has none to stop.
            report(f"No backup of {name} was stopped: {error.message}")
        azure.locks.lift(ids[name], LOCK_NAME)
        azure.compute.delete_disk(ids[name])

    def ids(self) -> dict[str, str]:
        """Return the ids of all disks in the environment's group, by name. Raises AzureError."""
        opened = self.reach.opened
        return {item["name"]: item["id"] for item in opened.azure.compute.disks(opened.place.disks_group)}

    def _in_use(self) -> list[str]:
        generations = self.reach.load().disks.generations
        return [self.reach.names.data_disk(disk.value, generations.get(disk, 1)) for disk in DataDisk]

    def _made(self, manifest: Manifest, disk: DataDisk, name: str) -> str:
        settings, place, snapshot = self.reach.load(), self.reach.opened.place, manifest.snapshot(disk)
        disks = settings.disks
        new = NewDisk(
            name=name,
            group=place.disks_group,
            region=place.region,
            sku=f"{disks.tier}_{disks.redundancy.upper()}",
            size_gib=disks.size_gib(disk),
            zone=str(disks.lrs_zone) if disks.redundancy == "lrs" and disks.lrs_zone else None,
            encryption_set=settings.cluster.disk_encryption_set_id,
            tags={**place.tags, RESTORED_TAG: manifest.id},
        )
        return str(self.reach.opened.azure.compute.disk_from(self._source(manifest, snapshot), new)["id"])

    def _source(self, manifest: Manifest, snapshot: Snapshot) -> str:
        """Return the id of the snapshot in this environment's region. Raises OperatorError where there is none."""
        region = self.reach.opened.place.region
        if manifest.region == region:
            return snapshot.id
        if snapshot.copy_id is None or snapshot.copy_region != region:
            there = ", ".join(sorted({manifest.region, snapshot.copy_region} - {""}))
            raise OperatorError(
                f"{snapshot.name} is not in {region}: the set {manifest.id} is in {there}",
                f"backups.copy_to_region: {region} in {manifest.environment} copies the sets that follow",
                ExitCode.REFUSED,
            )
        parts = snapshot.copy_id.split("/")
        found = self.reach.azure_of(manifest.subscription_id).compute.snapshot(parts[-1], parts[4])
        percent = float((found or {}).get("completionPercent", 100))
        if found is None or percent < 100:
            raise OperatorError(
                f"{parts[-1]} is {'not there' if found is None else f'copied to {percent:.0f} %'}",
                "`llmctl backup verify` tells when copies are complete; an older set may be",
                ExitCode.NOT_READY,
            )
        return snapshot.copy_id
