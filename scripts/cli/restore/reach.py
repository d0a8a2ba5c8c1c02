"""What a restore reaches the outside with; tests hand over others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.azure.resources import Azure
from scripts.backup.counts import Counted
from scripts.backup.manifest import Manifest
from scripts.cli.backup.opened import Opened
from scripts.cluster.pod_program import FedProgram, PodProgram
from stacks.common.azure_names import AzureNames
from stacks.settings import Settings

from .disk_switch import DiskSwitch


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One environment that is restored into, and what its set may be read with."""

    opened: Opened
    load: Callable[[], Settings]
    """Reads the environment file as it is now."""
    switch: Callable[[Mapping[str, str]], DiskSwitch]
    """Gives what changes disks, from the ids of all disks by name."""
    database: Callable[[str, str, bool], object]
    """Restores PostgreSQL: moment, id of the server, whether from its geo-redundant backup."""
    database_back: Callable[[str], object]
    """Goes back to a server by its name; without a name, to the one of before."""
    counted: Callable[[], Counted]
    chat: Callable[[], FedProgram]
    """Runs a program in a pod that mounts the uploads."""
    chat_of: Callable[[str], PodProgram]
    """Does so in another environment."""
    azure_of: Callable[[str], Azure]
    """Gives the Azure side of another subscription."""
    refresh: Callable[[], None]
    """Lets the cluster's Secrets follow the vault at once."""

    @property
    def names(self) -> AzureNames:
        """Names of the environment that is restored into."""
        return self.opened.place.names

    def is_own(self, manifest: Manifest) -> bool:
        """Tell whether a set is of this environment."""
        own = (self.opened.settings.name, self.opened.place.subscription)
        return (manifest.environment, manifest.subscription_id) == own
