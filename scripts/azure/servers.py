"""PostgreSQL Flexible Servers."""

from dataclasses import dataclass

from .cli import Cli, Resource


@dataclass(frozen=True)
class Servers:
    """Servers of one subscription."""

    cli: Cli

    def server(self, name: str, group: str) -> Resource:
        """Return a server. Raises AzureError, also where there is none."""
        return self.cli.ask("postgres", "flexible-server", "show", *self.cli.place(group), "--name", name)

    def in_group(self, group: str) -> list[Resource]:
        """Return the servers of a resource group. Raises AzureError."""
        return self.cli.ask_list("postgres", "flexible-server", "list", *self.cli.place(group))

    def delete(self, resource_id: str) -> None:
        """Delete a server with its databases; Azure keeps its last backup for five days. Raises AzureError."""
        self.cli.tell("postgres", "flexible-server", "delete", "--ids", resource_id, "--yes")
