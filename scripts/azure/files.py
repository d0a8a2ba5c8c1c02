"""File shares and their snapshots, through the resource manager."""

from dataclasses import dataclass

from .cli import Cli


@dataclass(frozen=True, kw_only=True)
class Share:
    """A file share."""

    account: str
    name: str
    group: str


@dataclass(frozen=True)
class Shares:
    """File shares of one subscription."""

    cli: Cli

    def take_snapshot(self, share: Share) -> str:
        """Make a snapshot and return Azure's name for it, a time with fractions of a second. Raises AzureError."""
        made = self.cli.ask("storage", "share-rm", "snapshot", *self._account(share), "--name", share.name)
        return str(made["snapshotTime"])

    def snapshots(self, share: Share) -> set[str]:
        """Return the moments of a share's snapshots. Raises AzureError."""
        found = self.cli.ask_list("storage", "share-rm", "list", *self._account(share), "--include-snapshot")
        return {item["snapshotTime"] for item in found if item["name"] == share.name and item.get("snapshotTime")}

    def delete_snapshot(self, share: Share, moment: str) -> None:
        """Delete a snapshot. Raises AzureError."""
        self.cli.tell(
            "storage", "share-rm", "delete", *self._account(share), "--name", share.name,
            "--snapshot", moment, "--yes",
        )  # fmt: skip

    def deleted(self, share: Share) -> str:
        """Return Azure's version of a deleted share; empty when it is there, or gone for good. Raises AzureError."""
        found = self.cli.ask_list("storage", "share-rm", "list", *self._account(share), "--include-deleted")
        named = [item for item in found if item["name"] == share.name]
        if any(not item.get("deleted") for item in named):
            return ""
        return str(named[-1]["version"]) if named else ""

    def recover(self, share: Share, version: str) -> None:
        """Bring a deleted share back, with its snapshots. Raises AzureError."""
        self.cli.ask(
            "storage", "share-rm", "restore", *self._account(share), "--name", share.name, "--deleted-version", version
        )

    def _account(self, share: Share) -> tuple[str, ...]:
        return (*self.cli.place(share.group), "--storage-account", share.account)
