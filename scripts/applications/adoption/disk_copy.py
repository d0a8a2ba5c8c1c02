"""A disk of another installation copied by way of a snapshot, to a disk as the stack `disks` makes it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.azure.compute import Compute, NewDisk, made_from
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from .found_disks import FoundDisk

POLL_S = 10.0
PATIENCE_S = 3600.0


@dataclass(frozen=True)
class DesiredDisk:
    """The disk that the environment is to have."""

    store: DataDisk
    subscription: str
    snapshots_group: str
    new: NewDisk

    @property
    def name(self) -> str:
        """Its name."""
        return self.new.name

    @property
    def id(self) -> str:
        """The id that it has or gets."""
        return self._id(self.new.group, "disks", self.name)

    @property
    def snapshot(self) -> str:
        """Name of the snapshot on the way."""
        return f"{self.name}-adopted"

    @property
    def snapshot_id(self) -> str:
        """Id of that snapshot."""
        return self._id(self.snapshots_group, "snapshots", self.snapshot)

    def _id(self, group: str, kind: str, name: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{kind}/{name}"


def desired(settings: Settings, store: DataDisk, generation: int) -> DesiredDisk:
    """Return the disk that `stacks/disks.py` makes of a store."""
    disks, names = settings.disks, settings.azure_names
    return DesiredDisk(
        store=store,
        subscription=settings.azure.subscription_id,
        snapshots_group=names.resource_group("disks-snapshots"),
        new=NewDisk(
            name=names.data_disk(store.value, generation),
            group=names.resource_group("disks"),
            region=settings.azure.region,
            sku=f"{disks.tier}_{disks.redundancy.upper()}",
            size_gib=disks.size_gib(store),
            zone=None if disks.redundancy == "zrs" or disks.lrs_zone is None else str(disks.lrs_zone),
            encryption_set=settings.cluster.disk_encryption_set_id,
            tags={},
        ),
    )


def problems(disk: FoundDisk, target: DesiredDisk, *, take_over: bool) -> list[str]:
    """Return why a disk cannot be copied or, stricter, taken over as it is."""
    found, new = [], target.new
    if disk.attached_to or disk.state not in ("Unattached", ""):
        found.append(
            f"is {f'attached to {disk.attached_to}' if disk.attached_to else disk.state.lower()}: stop Opik there and"
            " wait until its disks are detached"
        )
    if disk.region != new.region:
        found.append(f"lies in {disk.region}, the environment in {new.region}: copy it there first")
    if disk.size_gib > new.size_gib:
        key = f"disks.{target.store.value}_gib"
        found.append(f"has {disk.size_gib} GiB: set {key} to that or more, not {new.size_gib}")
    if not take_over:
        return found
    if disk.id.lower() != target.id.lower():
        found.append(f"is not {target.id}, and Azure renames no disk: copy it")
    if disk.size_gib < new.size_gib:
        found.append(f"has {disk.size_gib} GiB of {new.size_gib}: Terraform would grow it")
    if disk.type != new.sku:
        found.append(f"is {disk.type}, the environment has {new.sku}")
    if disk.zones != ((new.zone,) if new.zone else ()):
        found.append(f"is in {'zone ' + disk.zones[0] if disk.zones else 'no zone'}, not in {new.zone or 'none'}")
    return found


def was_used(disk: Mapping[str, Any]) -> bool:
    """Whether a disk has ever been attached, and so may hold data: Azure notes the last change of its owner."""
    return bool(disk.get("managedBy") or disk.get("lastOwnershipUpdateTime"))


@dataclass(frozen=True)
class DiskCopy:
    """One copy; each step finds out whether it has been done."""

    source: FoundDisk
    target: DesiredDisk
    compute: Compute
    poll_s: float = POLL_S
    patience_s: float = PATIENCE_S

    def run(self, tell: Callable[[str], object]) -> str:
        """Return the id of the copy. Raises OperatorError; the same command goes on where this one ended."""
        new = self.target.new
        if there := self.compute.disk(new.name, new.group):
            tell(f"{new.name} is there")
            return self._checked(there)
        snapshot = self._snapshot()
        tell(f"{self.source.name}: snapshot {self.target.snapshot}")
        self.compute.disk_from(snapshot, new)
        tell(f"{new.name}: made from it")
        made = self.compute.disk(new.name, new.group)
        if made is None:
            raise OperatorError(f"Azure made no disk {new.name}", "run the command again")
        return self._checked(made)

    def _snapshot(self) -> str:
        target, compute = self.target, self.compute
        place = (target.snapshot, target.snapshots_group)
        found: Mapping[str, Any] = compute.snapshot(*place) or compute.make_snapshot(
            *place, self.source.id, region=target.new.region, tags={}
        )
        if not made_from(found, self.source.id):
            raise OperatorError(
                f"the snapshot {target.snapshot} is of another disk than {self.source.name}",
                "delete it, if an earlier adoption of another disk left it, then repeat",
                ExitCode.REFUSED,
            )
        deadline = time.monotonic() + self.patience_s
        while float(found.get("completionPercent") or 100) < 100:
            if time.monotonic() >= deadline:
                raise OperatorError(f"the snapshot {target.snapshot} is not complete in time", "repeat later")
            time.sleep(self.poll_s)
            found = compute.snapshot(*place) or found
        return str(found["id"])

    def _checked(self, made: Mapping[str, Any]) -> str:
        """Return the id of a disk that is the copy. Raises OperatorError for any other one."""
        target, new = self.target, self.target.new
        if not made_from(made, target.snapshot_id):
            raise OperatorError(
                f"{new.name} exists and is no copy of {self.source.name}; nothing was written over",
                f"name it to put the copy beside it: --beside {target.store.value}",
                ExitCode.REFUSED,
            )
        size, kind = int(made.get("diskSizeGb") or made.get("diskSizeGB") or 0), (made.get("sku") or {}).get("name")
        zones = list(map(str, made.get("zones") or ()))
        if size != new.size_gib or kind != new.sku or zones != ([new.zone] if new.zone else []):
            raise OperatorError(
                f"{new.name} is not as the environment has it: {size} GiB {kind}, zones {zones or 'none'}",
                "delete this copy, then repeat",
            )
        return str(made["id"])
