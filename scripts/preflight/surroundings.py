"""What the checks of one run ask: the environment file, Azure, the directory, DNS, the internet, this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.azure.client import Azure
from stacks.settings import Settings

from .internet.dns import Resolver
from .internet.web import Web
from .machine import Machine


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Everything outside, so that tests hand over another one."""

    settings: Settings
    stacks: tuple[str, ...]
    """The stacks that the checks are for."""
    undeployed: tuple[str, ...] = ()
    """Those of them of which no state holds anything, as far as that is known."""
    azure: Azure
    graph: Azure
    dns: Resolver
    web: Web
    machine: Machine
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of this process: logins and tokens."""

    @property
    def region(self) -> str:
        """The environment's region."""
        return self.settings.azure.region

    def group(self, stack: str) -> str:
        """Return the resource id of a stack's resource group."""
        name = self.settings.azure_names.resource_group(stack)
        return f"/subscriptions/{self.settings.azure.subscription_id}/resourceGroups/{name}"
