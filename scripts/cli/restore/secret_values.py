"""Vault and secrets of a set: a deleted vault and deleted secrets come back, and values of then as new versions."""

from collections.abc import Collection
from dataclasses import dataclass

from scripts.azure.resources import Azure
from scripts.backup import restoring
from scripts.backup.manifest import Manifest, SecretVersion
from scripts.backup.restoring import RestorePart
from scripts.core.console import report
from scripts.core.errors import OperatorError
from stacks.settings.secrets.names import KEPT

from .reach import Reach


@dataclass(frozen=True)
class SecretValues:
    """The secrets of one set, and the vault of the environment that is restored into."""

    reach: Reach
    manifest: Manifest

    @property
    def _vault(self) -> str:
        return self.reach.opened.place.vault

    @property
    def _source(self) -> Azure:
        own = self.reach.is_own(self.manifest)
        return self.reach.opened.azure if own else self.reach.azure_of(self.manifest.subscription_id)

    def chosen(self, parts: Collection[RestorePart]) -> tuple[SecretVersion, ...]:
        """Return the versions whose values come back with these parts. Raises OperatorError."""
        if self.manifest.vault is None:
            return ()
        current = self.current()
        if not self.reach.is_own(self.manifest):
            return restoring.needed_elsewhere(self.manifest, current, parts)
        if not {RestorePart.VAULT, RestorePart.DISKS} & set(parts):
            return ()
        everything = RestorePart.VAULT in parts and RestorePart.DISKS not in parts
        return restoring.to_bring_back(self.manifest, current, all_of_them=everything)

    def current(self) -> dict[str, str]:
        """Return the present version of every secret; none of a vault that is deleted. Raises OperatorError."""
        azure = self.reach.opened.azure
        return {} if azure.vaults.is_deleted(self._vault) else azure.vaults.current(self._vault, without=KEPT)

    def recover(self) -> None:
        """Bring back the vault, and the set's secrets, where they were deleted. Raises OperatorError."""
        vault, azure = self.manifest.vault, self._source
        assert vault is not None
        if azure.vaults.is_deleted(vault.vault):
            report(f"Recovering the vault {vault.vault}")
            azure.vaults.recover(vault.vault)
        for name in sorted(azure.vaults.deleted_secrets(vault.vault) & {secret.name for secret in vault.secrets}):
            report(f"Recovering the secret {name}")
            azure.vaults.recover_secret(vault.vault, name)

    def bring(self, secrets: Collection[SecretVersion]) -> None:
        """Make the set's values the present ones. Raises OperatorError."""
        assert self.manifest.vault is not None
        for secret in secrets:
            report(f"{secret.name} gets the value of its version {secret.version[:8]}…")
            try:
                self._carry(self._source, self.manifest.vault.vault, secret)
            except OperatorError as error:
                if self.reach.is_own(self.manifest):
                    raise
                raise OperatorError(
                    f"{secret.name} of {self.manifest.environment} cannot be read: {error.message}",
                    error.fix or "the role Key Vault Secrets User on that vault, and an address that it lets in",
                    error.code,
                ) from None

    def take_back(self, secrets: Collection[SecretVersion]) -> None:
        """Make values the present ones that the environment's own vault had before. Raises OperatorError."""
        for secret in secrets:
            report(f"{secret.name} gets the value of its version {secret.version[:8]}…")
            self._carry(self.reach.opened.azure, self._vault, secret)

    def _carry(self, source: Azure, vault: str, secret: SecretVersion) -> None:
        target = self.reach.opened.azure.vaults
        source.vaults.carry(
            vault, secret.name, secret.version, lambda file: target.write(self._vault, secret.name, file)
        )
