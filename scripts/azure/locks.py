"""Locks against deletion."""

from dataclasses import dataclass

from .cli import Cli

_LOCKS = "/providers/Microsoft.Authorization/locks/"


@dataclass(frozen=True)
class Locks:
    """Locks in one subscription."""

    cli: Cli

    def put(self, resource_id: str, name: str, notes: str) -> None:
        """Refuse the deletion of a resource to everybody. Raises AzureError."""
        self.cli.ask(
            *("lock", "create", "--name", name, "--lock-type", "CanNotDelete"),
            *("--resource", resource_id, "--notes", notes, "--subscription", self.cli.subscription),
        )

    def held(self, group: str) -> set[str]:
        """Return the lower-case ids of what is locked in a resource group. Raises AzureError."""
        found = self.cli.ask_list("lock", "list", *self.cli.place(group))
        return {item["id"].lower().partition(_LOCKS.lower())[0] for item in found}

    def lift(self, resource_id: str, name: str) -> None:
        """Take a lock away; one that is gone is no error. Raises AzureError."""
        self.cli.tell("lock", "delete", "--ids", f"{resource_id}{_LOCKS}{name}")
