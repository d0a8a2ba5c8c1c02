"""What of an environment lies in Azure and in no state of Terraform: backup sets, and what restores put aside.

Nothing else can give it up: Terraform does not know it, and refuses to delete a resource group that holds it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.azure.cli import Resource
from scripts.azure.resources import Azure
from scripts.cost.amount import Cost

from .cost import SNAPSHOTS, PricesOf
from .parts import LOCK, PURPOSE, PURPOSE_TAG, SET_TAG

Tell = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What there is."""

    sets: Mapping[str, tuple[Resource, ...]]
    """Snapshots, copies too, by the id of their set; whatever else lies in their group stands under an empty id."""
    snapshots: tuple[Resource, ...] = ()
    """Snapshots on the way of an adoption, beside those of Azure Backup."""
    disks: tuple[Resource, ...] = ()
    """Disks of earlier generations, or put aside by an adoption."""
    servers: tuple[Resource, ...] = ()
    """PostgreSQL servers of earlier generations."""

    @property
    def size_gib(self) -> int:
        """Size of the disks that the sets are of, all snapshots together."""
        return sum(size_gib(item) for found in self.sets.values() for item in found)

    def most(self, prices: PricesOf) -> Cost:
        """Return the most that the sets cost a month."""
        found = Cost()
        for item in (one for group in self.sets.values() for one in group):
            each = prices(str(item["location"])).cost(SNAPSHOTS)
            found += Cost(0, each.high * size_gib(item), each.known)
        return found


def look(azure: Azure, groups: Mapping[str, str], held: set[str]) -> Remains:
    """Return what lies in the resource groups and in no state.

    `groups` are those that exist: of `sets`, `snapshots`, `disks`, `database`; `held` are lower-case ids in the states.
    Raises AzureError.
    """
    sets: dict[str, list[Resource]] = {}
    for item in azure.compute.snapshots(groups["sets"]) if "sets" in groups else []:
        tags = item.get("tags") or {}
        sets.setdefault(str(tags.get(SET_TAG, "")) if tags.get(PURPOSE_TAG) == PURPOSE else "", []).append(item)

    def others(kind: str, found: Callable[[str], list[Resource]]) -> tuple[Resource, ...]:
        return tuple(item for item in found(groups[kind]) if item["id"].lower() not in held) if kind in groups else ()

    return Remains(
        sets={set_id: tuple(found) for set_id, found in sorted(sets.items())},
        # Azure Backup's own go with its vault.
        snapshots=tuple(
            item for item in others("snapshots", azure.compute.snapshots) if str(item["name"]).endswith("-adopted")
        ),
        disks=others("disks", azure.compute.disks),
        servers=others("database", azure.servers.in_group),
    )


def remove_sets(remains: Remains, azure: Azure, tell: Tell) -> None:
    """Lift the locks of the sets and delete them, one by one: repeated, it goes on. Raises AzureError."""
    for set_id, found in remains.sets.items():
        for item in found:
            azure.locks.lift(item["id"], LOCK)
            azure.compute.delete_snapshot(item["id"])
        tell(f"backup set {set_id}: {len(found)} snapshots are deleted" if set_id else "other snapshots are deleted")


def remove_disks(remains: Remains, azure: Azure, vault_id: str, lock: str, tell: Tell) -> None:
    """Delete disks that were put aside, with their backups and locks; the vault keeps nothing. Raises AzureError."""
    there = set(azure.protection.instances(vault_id)) if vault_id and remains.disks else set()
    for disk in remains.disks:
        if disk["name"] in there:
            azure.protection.delete(vault_id, disk["name"])
        azure.locks.lift(disk["id"], lock)
        azure.compute.delete_disk(disk["id"])
        tell(f"{disk['name']} is deleted")
    for item in remains.snapshots:
        azure.compute.delete_snapshot(item["id"])
        tell(f"{item['name']} is deleted")


def remove_servers(remains: Remains, azure: Azure, tell: Tell) -> None:
    """Delete servers that were put aside; nothing may guard their group. Raises AzureError."""
    for server in remains.servers:
        azure.servers.delete(server["id"])
        tell(f"{server['name']} is deleted")


def size_gib(item: Resource) -> int:
    """Return the size of a disk, or of the disk that a snapshot is of."""
    return int(item.get("diskSizeGb") or item.get("diskSizeGB") or 0)


def described(remains: Remains) -> dict[str, str]:
    """Return name and size of what is no backup set."""
    sized = [*remains.disks, *remains.snapshots]
    return {str(item["name"]): f"{size_gib(item)} GiB" for item in sized} | {
        str(item["name"]): f"{(item.get('storage') or {}).get('storageSizeGb', '?')} GiB" for item in remains.servers
    }
