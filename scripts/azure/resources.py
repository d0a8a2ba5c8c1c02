"""Azure resources of an environment beyond Terraform: disks and snapshots, locks, shares, vaults, database servers."""

from dataclasses import dataclass
from functools import cached_property

from .cli import Cli
from .compute import Compute
from .files import Shares
from .locks import Locks
from .protection import Protection
from .servers import Servers
from .vaults import Vaults


@dataclass(frozen=True)
class Azure:
    """One subscription, by subject."""

    cli: Cli

    @cached_property
    def compute(self) -> Compute:
        """Disks and snapshots."""
        return Compute(self.cli)

    @cached_property
    def locks(self) -> Locks:
        """Locks against deletion."""
        return Locks(self.cli)

    @cached_property
    def protection(self) -> Protection:
        """What a Backup vault protects."""
        return Protection(self.cli)

    @cached_property
    def shares(self) -> Shares:
        """File shares and their snapshots."""
        return Shares(self.cli)

    @cached_property
    def vaults(self) -> Vaults:
        """Key Vaults and the versions of their secrets."""
        return Vaults(self.cli)

    @cached_property
    def servers(self) -> Servers:
        """PostgreSQL servers."""
        return Servers(self.cli)
