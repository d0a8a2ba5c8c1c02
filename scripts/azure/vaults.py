"""Key Vaults: which secrets and versions there are, what was deleted, and values carried from version to version.

No value is printed or stands on a command line: it goes through a file that this user alone can read.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .cli import Cli

_READS = 8


@dataclass(frozen=True)
class Vaults:
    """Vaults of one subscription."""

    cli: Cli

    def is_deleted(self, vault: str) -> bool:
        """Tell whether a vault is deleted and can be recovered. Raises AzureError."""
        place = ("--subscription", self.cli.subscription, "--resource-type", "vault")
        return any(item["name"] == vault for item in self.cli.ask_list("keyvault", "list-deleted", *place))

    def recover(self, vault: str) -> None:
        """Bring a deleted vault back, with all its secrets. Raises AzureError."""
        self.cli.ask("keyvault", "recover", "--name", vault, "--subscription", self.cli.subscription)

    def current(self, vault: str, without: str) -> dict[str, str]:
        """Return the present version of every secret whose name does not begin with `without`; no value is asked for.

        Raises AzureError.
        """
        listed = self.cli.ask_list("keyvault", "secret", "list", *self._vault(vault))
        names = sorted(item["name"] for item in listed if not item["name"].startswith(without))
        with ThreadPoolExecutor(_READS) as pool:
            versions = pool.map(lambda name: self.versions(vault, name), names)
            return {name: found[0][0] for name, found in zip(names, versions, strict=True) if found}

    def versions(self, vault: str, name: str) -> list[tuple[str, bool]]:
        """Return the versions of a secret, newest first, with whether each may be used. Raises AzureError."""
        found = self.cli.ask_list("keyvault", "secret", "list-versions", *self._vault(vault), "--name", name)
        ordered = sorted(found, key=lambda item: str(item["attributes"]["created"]), reverse=True)
        return [(item["id"].rsplit("/", 1)[-1], bool(item["attributes"]["enabled"])) for item in ordered]

    def deleted_secrets(self, vault: str) -> set[str]:
        """Return the names of deleted secrets that can be recovered. Raises AzureError."""
        return {item["name"] for item in self.cli.ask_list("keyvault", "secret", "list-deleted", *self._vault(vault))}

    def recover_secret(self, vault: str, name: str) -> None:
        """Bring a deleted secret back, with all its versions. Raises AzureError."""
        self.cli.ask("keyvault", "secret", "recover", *self._vault(vault), "--name", name)

    def carry(self, vault: str, name: str, version: str, into: Callable[[Path], None]) -> None:
        """Hand over a file with the value of one version, which is gone afterwards. Raises AzureError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "value"
            place = (*self._vault(vault), "--name", name, "--version", version)
            self.cli.tell("keyvault", "secret", "download", *place, "--file", str(path))
            into(path)

    def write(self, vault: str, name: str, file: Path) -> None:
        """Make the content of a file the present value of a secret, as a new version. Raises AzureError."""
        place = (*self._vault(vault), "--name", name, "--file", str(file), "--encoding", "utf-8", "--output", "none")
        self.cli.tell("keyvault", "secret", "set", *place)

    def _vault(self, vault: str) -> tuple[str, ...]:
        return ("--vault-name", vault, "--subscription", self.cli.subscription)
