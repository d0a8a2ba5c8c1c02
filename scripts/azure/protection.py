"""Disks that a Backup vault protects (`az dataprotection`)."""

from dataclasses import dataclass

from .cli import Cli


@dataclass(frozen=True)
class Protection:
    """Backup instances of Azure Backup's vaults."""

    cli: Cli

    def stop(self, vault_id: str, instance: str) -> None:
        """Let the vault protect a disk no longer; what it has stays as its policy says. Raises AzureError."""
        self.cli.tell(
            "dataprotection", "backup-instance", "stop-protection", *_vault(vault_id),
            "--backup-instance-name", instance,
        )  # fmt: skip

    def instances(self, vault_id: str) -> list[str]:
        """Return the names of all instances of a vault. Raises AzureError."""
        found = self.cli.ask_list("dataprotection", "backup-instance", "list", *_vault(vault_id))
        return [str(item["name"]) for item in found]

    def delete(self, vault_id: str, instance: str) -> None:
        """Delete an instance with its backups; an immutable vault refuses. Raises AzureError."""
        self.cli.tell(
            "dataprotection", "backup-instance", "delete", *_vault(vault_id),
            "--backup-instance-name", instance, "--yes",
        )  # fmt: skip


def _vault(vault_id: str) -> tuple[str, ...]:
    parts = vault_id.strip("/").split("/")
    return ("--subscription", parts[1], "--resource-group", parts[3], "--vault-name", parts[7])
