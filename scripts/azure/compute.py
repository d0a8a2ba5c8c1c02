"""Managed disks and their snapshots."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.core.azure import AzureError

from .cli import Cli, Resource

_CLOSED = ("--network-access-policy", "DenyAll", "--public-network-access", "Disabled")


@dataclass(frozen=True, kw_only=True)
class NewDisk:
    """A disk to be made of a snapshot, as the stack `disks` makes its own."""

    name: str
    group: str
    region: str
    sku: str
    size_gib: int
    zone: str | None
    encryption_set: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Compute:
    """Disks and snapshots of one subscription."""

    cli: Cli

    def snapshots(self, group: str) -> list[Resource]:
        """Return all snapshots in a resource group. Raises AzureError."""
        return self.cli.ask_list("snapshot", "list", *self.cli.place(group))

    def snapshot(self, name: str, group: str) -> Resource | None:
        """Return a snapshot; None where there is none. Raises AzureError."""
        return _there(lambda: self.cli.ask("snapshot", "show", *self.cli.place(group), "--name", name))

    def make_snapshot(
        self, name: str, group: str, source: str, *, region: str, tags: Mapping[str, str], copy: bool = False
    ) -> Resource:
        """Make an incremental snapshot of a disk, or begin with a copy of a snapshot. Raises AzureError.

        Both can be repeated: Azure answers with the one that is there.
        """
        return self.cli.ask(
            *("snapshot", "create", *self.cli.place(group), "--name", name, "--location", region, "--source", source),
            *("--incremental", "true", *_CLOSED),
            *(("--copy-start", "true") if copy else ()),
            *_tags(tags),
        )

    def delete_snapshot(self, resource_id: str) -> None:
        """Delete a snapshot of a disk. Raises AzureError."""
        self.cli.tell("snapshot", "delete", "--ids", resource_id)

    def disks(self, group: str) -> list[Resource]:
        """Return the disks in a resource group. Raises AzureError."""
        return self.cli.ask_list("disk", "list", *self.cli.place(group))

    def disk(self, name: str, group: str) -> Resource | None:
        """Return a disk; None where there is none. Raises AzureError."""
        return _there(lambda: self.cli.ask("disk", "show", *self.cli.place(group), "--name", name))

    def disk_from(self, snapshot: str, new: NewDisk) -> Resource:
        """Make a disk with the contents of a snapshot. Raises AzureError."""
        return self.cli.ask(
            *("disk", "create", *self.cli.place(new.group), "--name", new.name, "--location", new.region),
            *("--source", snapshot, "--sku", new.sku, "--size-gb", str(new.size_gib)),
            *(("--zone", new.zone) if new.zone else ()),
            *(("--disk-encryption-set", new.encryption_set) if new.encryption_set else ()),
            *_CLOSED,
            *_tags(new.tags),
        )

    def delete_disk(self, resource_id: str) -> None:
        """Delete a disk with its contents. Raises AzureError."""
        self.cli.tell("disk", "delete", "--ids", resource_id, "--yes")


def _there(ask: Callable[[], Resource]) -> Resource | None:
    try:
        return ask()
    except AzureError as error:
        if "NotFound" in error.message:
            return None
        raise


def made_from(resource: Mapping[str, object], source: str) -> bool:
    """Tell whether a disk or snapshot was made of `source`, a resource id."""
    data = resource.get("creationData")
    found = data.get("sourceResourceId", "") if isinstance(data, Mapping) else ""
    return str(found).lower() == source.lower()


def _tags(tags: Mapping[str, str]) -> tuple[str, ...]:
    return ("--tags", *(f"{key}={value}" for key, value in sorted(tags.items()))) if tags else ()
