"""Refuses to deploy into a cluster that is stopped, where Terraform would only say that nothing answers."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from scripts.cluster.power import Power
from scripts.core.azure import AzureError
from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.outputs import NotDeployedError
from stacks.settings.azure import AzureSettings

OutputsOf = Callable[..., Mapping[str, Mapping[str, Any]]]
PowerOf = Callable[[str, Mapping[str, Any]], Power]


def require_running(
    stacks: Collection[str], environment: str, azure: AzureSettings, *, outputs_of: OutputsOf, power_of: PowerOf
) -> None:
    """Return where the cluster runs, is not there yet, or Azure cannot be asked. Raises OperatorError otherwise."""
    if {"aks", "platform"}.isdisjoint(stacks):
        return
    try:
        runs = power_of(azure.subscription_id, outputs_of(environment, "aks")["aks"]).runs()
    except (AzureError, NotDeployedError):
        # Who is not logged in, and what comes first, is told elsewhere.
        return
    if not runs:
        raise OperatorError(
            f"the cluster of {environment} is stopped, so that nothing can be deployed into it",
            f"`llmctl off-hours now {environment} --start`, wait some minutes, then deploy again",
            ExitCode.REFUSED,
        )
