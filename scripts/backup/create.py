"""A backup set made: everything that can fail without touching the environment first, then Opik without writes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from scripts.azure.files import Share
from scripts.azure.resources import Azure
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.cluster import ReleaseRecords
from stacks.settings.data import DataDisk

from .counts import Counted, between
from .manifest import UTC_TIME, Code, Manifest, ShareSnapshot, Snapshot, new_id
from .mark import mark_newest
from .parts import LOCK, PURPOSE, PURPOSE_TAG, SET_TAG, STORE_TAG, recovery_point, together, vault_state
from .place import Place
from .quiesce import CLOCK, Clock, Quiescence
from .running import images, releases
from .store import Store

Tell = Callable[[str], object]


class Part(StrEnum):
    """A part that can be left out of a set."""

    DATABASE = "database"
    UPLOADS = "uploads"
    VAULT = "vault"
    COUNTS = "counts"


@dataclass(frozen=True, kw_only=True)
class Making:
    """The making of one set."""

    environment: str
    place: Place
    azure: Azure
    store: Store
    kubectl: Kubectl
    quiescence: Quiescence | None
    """None where Opik does not run: nothing writes to its disks then."""
    counted: Counted
    code: Code
    release_records: ReleaseRecords
    """Where Helm keeps what ran."""
    left_out: Collection[Part] = ()
    clock: Clock = CLOCK
    tell: Tell = lambda _text: None

    def run(self) -> Manifest:
        """Make the set, guard it and write its manifest. Raises OperatorError, with Opik's writes going on.

        `llmctl backup list` shows what a failed attempt leaves, `llmctl backup prune` removes it.
        """
        self._repair()
        self._require_whole()
        begun, ran = self.clock.utc(), releases(self.kubectl, self.release_records)
        draft = Manifest(
            id=new_id(begun),
            environment=self.environment,
            subscription_id=self.place.subscription,
            region=self.place.region,
            quiesced_seconds=0,
            vault=None if Part.VAULT in self.left_out else vault_state(self.azure, self.place.vault),
            releases=ran or (),
            images=images(self.kubectl),
            code=self.code,
            deployed=self.place.deployed,
            left_out=tuple(sorted([*self.left_out, *(() if ran is not None else ("releases",))])),
        )
        self.store.ids()  # So that a missing right is told before anything is stopped.
        made = self._consistent(draft)
        self._guard(made)
        made = self._copied(made)
        self.store.write(made)
        if self.quiescence:
            mark_newest(self.kubectl, made.id)
            self.tell("Waiting until Opik's writers are ready")
            self.quiescence.wait_ready()
        return made

    def _repair(self) -> None:
        if self.quiescence and (found := self.quiescence.repair()):
            self.tell(f"Opik's writes were still stopped by a killed command, for the set {found}: they go on now")

    def _require_whole(self) -> None:
        """Refuse to back up what is broken: a set of it would be taken for good."""
        if self.quiescence and (tables := self.quiescence.stores.read_only()):
            raise OperatorError(
                f"{len(tables)} tables of ClickHouse lost their ZooKeeper and are read-only: {', '.join(tables[:3])}",
                "docs/reference/known-problems/opik.md, then make the set",
                ExitCode.NOT_READY,
            )

    def _consistent(self, draft: Manifest) -> Manifest:
        if self.quiescence is None:
            return self._taken(draft)
        self.tell("Stopping Opik's writes")
        started = self.clock.now()
        with self.quiescence.quiet(draft.id):
            made = self._taken(draft)
        seconds = round(self.clock.now() - started, 1)
        self.tell(f"Opik takes writes again, after {seconds:.0f} s")
        return made.model_copy(update={"quiesced_seconds": seconds})

    def _taken(self, draft: Manifest) -> Manifest:
        """Count, then make the snapshots and fix the moment of the database."""
        counting = Part.COUNTS not in self.left_out
        traces = self.counted.traces() if counting else {}
        before = self.counted.database() if counting else {}
        snapshots: dict[DataDisk, Snapshot] = {}
        self.tell(f"Snapshots of {len(self.place.disks)} disks")
        together({disk: partial(self._snapshot, draft.id, disk, snapshots) for disk in self.place.disks})
        uploads = None if Part.UPLOADS in self.left_out else self._uploads()
        # Azure restores to whole seconds; this one is over for whoever was counted.
        moment = self.clock.utc().replace(microsecond=0) + timedelta(seconds=1)
        database = (
            None
            if Part.DATABASE in self.left_out
            else recovery_point(self.azure, self.place.server, self.place.database_group, moment)
        )
        while self.clock.utc() <= moment:
            self.clock.sleep(0.2)
        after = self.counted.database() if counting else {}
        return draft.model_copy(
            update={
                "snapshots": tuple(snapshots[disk] for disk in self.place.disks),
                "uploads": uploads,
                "database": database,
                "counts": between(traces, traces) | between(before, after),
            }
        )

    def _uploads(self) -> ShareSnapshot:
        place = self.place
        moment = self.azure.shares.take_snapshot(
            Share(account=place.account, name=place.share, group=place.disks_group)
        )
        return ShareSnapshot(account=place.account, share=place.share, moment=moment)

    def _snapshot(self, set_id: str, store: DataDisk, made: dict[DataDisk, Snapshot]) -> None:
        disk = self.place.disks[store]
        name = self.place.snapshot(store, set_id)
        answer = self.azure.compute.make_snapshot(
            name, self.place.sets_group, disk.id, region=self.place.region, tags=self._tags(set_id, store)
        )
        made[store] = Snapshot(
            store=store, name=name, id=answer["id"], disk=disk.name, disk_id=disk.id, size_gib=disk.size_gib
        )

    def _guard(self, made: Manifest) -> None:
        self.tell("Locking the snapshots")
        notes = f"Backup set {made.id}; llmctl backup prune removes it"
        together({found.store: partial(self.azure.locks.put, found.id, LOCK, notes) for found in made.snapshots})

    def _copied(self, made: Manifest) -> Manifest:
        region = self.place.copy_to_region
        if region is None:
            return made
        self.tell(f"Copies to {region} begin; they take hours, `llmctl backup verify` tells when they are complete")
        copies: dict[DataDisk, str] = {}
        together({found.store: partial(self._copy, made.id, found, region, copies) for found in made.snapshots})
        snapshots = [found.model_copy(update={"copy_id": copies[found.store]}) for found in made.snapshots]
        return made.model_copy(update={"snapshots": tuple(snapshots)})

    def _copy(self, set_id: str, found: Snapshot, region: str, copies: dict[DataDisk, str]) -> None:
        # By its name the region is known again (`Snapshot.copy_region`).
        name = f"{found.name}-{region}"
        tags = self._tags(set_id, found.store)
        answer = self.azure.compute.make_snapshot(
            name, self.place.sets_group, found.id, region=region, tags=tags, copy=True
        )
        copies[found.store] = answer["id"]
        self.azure.locks.put(answer["id"], LOCK, f"Copy for the backup set {set_id}; llmctl backup prune removes it")

    def _tags(self, set_id: str, store: DataDisk) -> Mapping[str, str]:
        return {**self.place.tags, PURPOSE_TAG: PURPOSE, SET_TAG: set_id, STORE_TAG: store.value}


def utc_text(clock: Clock) -> str:
    """Return the present as manifests have it."""
    return clock.utc().strftime(UTC_TIME)
