"""Opik's managed disks of another installation: found by name and tag, checked, and copied beside the old ones."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.azure import AzureError, az, az_list
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.data import DataDisk

CLAIM_TAG = "kubernetes.io-created-for-pvc-name"
"""Tag by which the disk driver of AKS names the claim that a disk was made for."""
CLAIMS = {
    "data-opik-mysql-0": DataDisk.MYSQL,
    "storage-vc-template-chi-opik-clickhouse-cluster-0-0-0": DataDisk.CLICKHOUSE,
    "data-opik-zookeeper-0": DataDisk.ZOOKEEPER,
    "opik-minio": DataDisk.MINIO,
    "data-opik-redis-master-0": DataDisk.REDIS,
    "redis-data-opik-redis-master-0": DataDisk.REDIS,
}
"""Claims of Opik's chart, of the time with Bitnami's charts too."""
POLL_S = 10.0
PATIENCE_S = 3600.0


@dataclass(frozen=True)
class FoundDisk:
    """A managed disk as Azure describes it."""

    store: DataDisk
    name: str
    id: str
    size_gib: int
    type: str
    region: str
    zones: tuple[str, ...]
    state: str
    attached_to: str
    created: str

    @classmethod
    def of(cls, disk: Mapping[str, Any]) -> "FoundDisk | None":
        """Return the disk, if name or tag say that it is one of Opik's."""
        store = store_of(str(disk["name"]), disk.get("tags") or {})
        if store is None:
            return None
        return cls(
            store=store,
            name=str(disk["name"]),
            id=str(disk["id"]),
            size_gib=int(disk.get("diskSizeGb") or disk.get("diskSizeGB") or 0),
            type=str((disk.get("sku") or {}).get("name", "")),
            region=str(disk.get("location", "")).replace(" ", "").lower(),
            zones=tuple(map(str, disk.get("zones") or ())),
            state=str(disk.get("diskState", "")),
            attached_to=str(disk.get("managedBy") or "").rsplit("/", 1)[-1],
            created=str(disk.get("timeCreated", ""))[:19],
        )

    def __str__(self) -> str:
        zone = f"zone {', '.join(self.zones)}" if self.zones else "no zone"
        use = f"attached to {self.attached_to}" if self.attached_to else self.state.lower() or "state unknown"
        return f"{self.store.value}: {self.name}, {self.size_gib} GiB {self.type}, {zone}, {use}, made {self.created}"


@dataclass(frozen=True)
class Wanted:
    """The disk that the environment is to have."""

    store: DataDisk
    name: str
    group: str
    snapshots_group: str
    subscription: str
    region: str
    type: str
    zone: str | None
    size_gib: int
    encryption_set: str | None

    @property
    def id(self) -> str:
        """The id that it has or gets."""
        place = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{place}/providers/Microsoft.Compute/disks/{self.name}"

    @property
    def snapshot(self) -> str:
        """Name of the snapshot on the way."""
        return f"{self.name}-adopted"


def store_of(name: str, tags: Mapping[str, str]) -> DataDisk | None:
    """Return the store whose data a disk holds: by its claim's tag, else by opik, a store and data in its name."""
    if (claim := tags.get(CLAIM_TAG)) is not None:
        return CLAIMS.get(claim)
    words = re.split(r"[-_.]", name.lower())
    stores = [store for store in DataDisk if store.value in words]
    return stores[0] if "opik" in words and "data" in words and len(stores) == 1 else None


def find(subscription: str, group: str) -> list[FoundDisk]:
    """Return Opik's disks of a resource group. Raises OperatorError."""
    listed = az_list("disk", "list", "--subscription", subscription, "--resource-group", group)
    return sorted(
        (disk for one in listed if (disk := FoundDisk.of(one))), key=lambda disk: (disk.store.value, disk.created)
    )


def choose(found: Sequence[FoundDisk], named: Mapping[DataDisk, str]) -> dict[DataDisk, FoundDisk]:
    """Return one disk a store. Raises OperatorError where several are there and none is named, or it is not there."""
    chosen: dict[DataDisk, FoundDisk] = {}
    for store in DataDisk:
        there = [disk for disk in found if disk.store is store]
        if store in named:
            there = [disk for disk in found if disk.name == named[store]]
            if not there:
                raise OperatorError(f"there is no disk {named[store]} of Opik", "see the list above", ExitCode.USAGE)
        if len(there) > 1:
            raise OperatorError(
                f"{len(there)} disks look like {store.value}'s: {', '.join(disk.name for disk in there)}",
                f"name the right one: --disk {store.value}={there[-1].name}",
                ExitCode.REFUSED,
            )
        if there:
            chosen[store] = there[0]
    if DataDisk.CLICKHOUSE in chosen and DataDisk.ZOOKEEPER not in chosen:
        raise OperatorError(
            "there is a disk of ClickHouse and none of ZooKeeper, without which its tables are read-only",
            "ZooKeeper's may lie in the MC_ group of the old cluster: look there with --resource-group, or name it",
            ExitCode.REFUSED,
        )
    return chosen


def wanted(settings: Settings, store: DataDisk, generation: int) -> Wanted:
    """Return the disk that `stacks/disks.py` makes of a store."""
    disks, names = settings.disks, settings.azure_names
    return Wanted(
        store=store,
        name=names.data_disk(store.value, generation),
        group=names.resource_group("disks"),
        snapshots_group=names.resource_group("disks-snapshots"),
        subscription=settings.azure.subscription_id,
        region=settings.azure.region,
        type=f"{disks.tier}_{disks.redundancy.upper()}",
        zone=None if disks.redundancy == "zrs" or disks.lrs_zone is None else str(disks.lrs_zone),
        size_gib=disks.size_gib(store),
        encryption_set=settings.cluster.disk_encryption_set_id,
    )


def problems(disk: FoundDisk, target: Wanted, *, take_over: bool) -> list[str]:
    """Return why a disk cannot be copied or, stricter, taken over as it is."""
    found = []
    if disk.attached_to or disk.state not in ("Unattached", ""):
        found.append(
            f"is {f'attached to {disk.attached_to}' if disk.attached_to else disk.state.lower()}: stop Opik there and"
            " wait until its disks are detached"
        )
    if disk.region != target.region:
        found.append(f"lies in {disk.region}, the environment in {target.region}: copy it there first")
    if disk.size_gib > target.size_gib:
        key = f"disks.{target.store.value}_gib"
        found.append(f"has {disk.size_gib} GiB: set {key} to that or more, not {target.size_gib}")
    if not take_over:
        return found
    if disk.id.lower() != target.id.lower():
        found.append(f"is not {target.id}, and Azure renames no disk: copy it")
    if disk.size_gib < target.size_gib:
        found.append(f"has {disk.size_gib} GiB of {target.size_gib}: Terraform would grow it")
    if disk.type != target.type:
        found.append(f"is {disk.type}, the environment has {target.type}")
    if disk.zones != ((target.zone,) if target.zone else ()):
        found.append(f"is in {'zone ' + disk.zones[0] if disk.zones else 'no zone'}, not in {target.zone or 'none'}")
    return found


def shown(target: Wanted) -> dict[str, Any] | None:
    """Return the environment's disk of that name as Azure describes it; None where there is none."""
    place = ("--subscription", target.subscription, "--resource-group", target.group)
    try:
        return az("disk", "show", *place, "--name", target.name)
    except AzureError as error:
        if "NotFound" in error.message:
            return None
        raise


def was_used(disk: Mapping[str, Any]) -> bool:
    """Whether a disk has ever been attached, and so may hold data: Azure notes the last change of its owner."""
    return bool(disk.get("managedBy") or disk.get("lastOwnershipUpdateTime"))


@dataclass(frozen=True)
class DiskCopy:
    """One copy by way of a snapshot; each step finds out whether it has been done."""

    source: FoundDisk
    target: Wanted
    poll_s: float = POLL_S
    patience_s: float = PATIENCE_S

    def run(self, tell: Callable[[str], object]) -> str:
        """Return the id of the copy. Raises OperatorError; the same command goes on where this one ended."""
        if there := shown(self.target):
            tell(f"{self.target.name} is there")
            return self._checked(there)
        snapshot = self._snapshot()
        tell(f"{self.source.name}: snapshot {self.target.snapshot}")
        target = self.target
        zone = ("--zone", target.zone) if target.zone else ()
        key = ("--disk-encryption-set", target.encryption_set) if target.encryption_set else ()
        az(
            "disk", "create", "--subscription", target.subscription, "--resource-group", target.group,
            "--name", target.name, "--location", target.region, "--source", snapshot, "--sku", target.type,
            "--size-gb", str(target.size_gib), "--network-access-policy", "DenyAll",
            "--public-network-access", "Disabled", *zone, *key,
        )  # fmt: skip
        tell(f"{target.name}: made from it")
        made = shown(target)
        if made is None:
            raise OperatorError(f"Azure made no disk {target.name}", "run the command again")
        return self._checked(made)

    def _snapshot(self) -> str:
        target = self.target
        place = ("--subscription", target.subscription, "--resource-group", target.snapshots_group)
        try:
            found: Mapping[str, Any] = az("snapshot", "show", *place, "--name", target.snapshot)
        except AzureError as error:
            if "NotFound" not in error.message:
                raise
            found = az(
                "snapshot", "create", *place, "--name", target.snapshot, "--location", target.region,
                "--source", self.source.id, "--incremental", "true", "--network-access-policy", "DenyAll",
                "--public-network-access", "Disabled",
            )  # fmt: skip
        if not _made_from(found, self.source.id):
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
            found = az("snapshot", "show", *place, "--name", target.snapshot)
        return str(found["id"])

    def _checked(self, made: Mapping[str, Any]) -> str:
        """Return the id of a disk that is the copy. Raises OperatorError for any other one."""
        target = self.target
        snapshot = (
            f"/subscriptions/{target.subscription}/resourceGroups/{target.snapshots_group}/providers/Microsoft.Compute"
            f"/snapshots/{target.snapshot}"
        )
        if not _made_from(made, snapshot):
            raise OperatorError(
                f"{target.name} exists and is no copy of {self.source.name}; nothing was written over",
                f"name it to put the copy beside it: --beside {target.store.value}",
                ExitCode.REFUSED,
            )
        size, kind = int(made.get("diskSizeGb") or made.get("diskSizeGB") or 0), (made.get("sku") or {}).get("name")
        zones = list(map(str, made.get("zones") or ()))
        if size != target.size_gib or kind != target.type or zones != ([target.zone] if target.zone else []):
            raise OperatorError(
                f"{target.name} is not as the environment has it: {size} GiB {kind}, zones {zones or 'none'}",
                "delete this copy, then repeat",
            )
        return str(made["id"])


def _made_from(resource: Mapping[str, Any], source: str) -> bool:
    return str((resource.get("creationData") or {}).get("sourceResourceId", "")).lower() == source.lower()
