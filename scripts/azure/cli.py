"""The operator's own `az` for one subscription."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.core.azure import az, az_list, az_text

Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cli:
    """How one subscription is asked; tests hand over others."""

    subscription: str
    ask: Callable[..., Resource] = az
    ask_list: Callable[..., list[Any]] = az_list
    tell: Callable[..., str] = az_text
    """For what answers with nothing."""

    def place(self, group: str) -> tuple[str, ...]:
        """Return the arguments that name a resource group."""
        return ("--subscription", self.subscription, "--resource-group", group)
