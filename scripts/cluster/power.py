"""Whether a cluster runs, and how it is stopped and started.

The whole cluster is stopped, not its pools scaled to zero: Terraform sees no change then (numbers of nodes stay as they
are, and a power state is in no plan), the system pool and the API stop costing too, and everything comes back as it
was, KEDA's decisions included. https://learn.microsoft.com/azure/aks/start-stop-cluster
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.azure import az, az_text
from scripts.core.errors import OperatorError


@dataclass(frozen=True, kw_only=True)
class Power:
    """The power state of one cluster, read and changed with the operator's own `az`; tests hand over others."""

    subscription: str
    group: str
    cluster: str
    ask: Callable[..., dict[str, Any]] = az
    tell: Callable[..., str] = az_text

    def runs(self) -> bool:
        """Whether the cluster runs. Raises OperatorError, also while it is on its way."""
        found = self.ask("aks", "show", *self._place(), "--query", "{power: powerState.code, doing: provisioningState}")
        if found.get("doing") in ("Starting", "Stopping"):
            raise OperatorError(f"{self.cluster} is {str(found['doing']).lower()}", "wait some minutes, then try again")
        return found.get("power") == "Running"

    def stop(self) -> None:
        """Begin to stop it; pods end as in any shutdown of their nodes. Raises OperatorError."""
        self.tell("aks", "stop", *self._place(), "--no-wait")

    def start(self) -> None:
        """Begin to start it, which takes some minutes. Raises OperatorError."""
        self.tell("aks", "start", *self._place(), "--no-wait")

    def _place(self) -> tuple[str, ...]:
        return ("--subscription", self.subscription, "--resource-group", self.group, "--name", self.cluster)


def power_of(subscription: str, aks: Mapping[str, Any]) -> Power:
    """Return the power of the cluster that the outputs of the stack `aks` name."""
    return Power(subscription=subscription, group=str(aks["resource_group_name"]), cluster=str(aks["cluster_name"]))
