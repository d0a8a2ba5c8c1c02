"""Opik's managed disks of another installation: found by name and tag, shown, and one chosen for each store."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.azure.compute import Compute
from scripts.core.errors import ExitCode, OperatorError
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


def store_of(name: str, tags: Mapping[str, str]) -> DataDisk | None:
    """Return the store whose data a disk holds: by its claim's tag, else by opik, a store and data in its name."""
    if (claim := tags.get(CLAIM_TAG)) is not None:
        return CLAIMS.get(claim)
    words = re.split(r"[-_.]", name.lower())
    stores = [store for store in DataDisk if store.value in words]
    return stores[0] if "opik" in words and "data" in words and len(stores) == 1 else None


def find(compute: Compute, group: str) -> list[FoundDisk]:
    """Return Opik's disks of a resource group. Raises AzureError."""
    return sorted(
        (disk for one in compute.disks(group) if (disk := FoundDisk.of(one))),
        key=lambda disk: (disk.store.value, disk.created),
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
