"""Something that a deployment needs does not answer for a while: a service, a login, capacity, a zone."""

from collections.abc import Iterator

from .base import Finding, Play, Size, one_after_the_other
from .recovery import Recovery, recover
from .stage import WHOLE, Stage
from .watched import watched

EXPIRED = "ExpiredAuthenticationToken: The access token expiry UTC time is earlier than current UTC time"
"""https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors"""
UNAVAILABLE = "unexpected status 503 (503 Service Unavailable) with error: ServiceUnavailable: {address}"
ZONE = (
    "creating {address}: unexpected status 409 (409 Conflict) with error: ZonalAllocationFailed: We do not have"
    " sufficient capacity for the requested VM size in this zone."
)


def away(**fault: object) -> Play:
    """Return what deploys, while the error holds and once it is over, every stack with resources that meet it.

    An error of creating is met by a deployment from nothing, any other one by one that changes nothing.
    """
    standing = fault["on"] != "create"

    def play(stage: Stage, size: Size) -> Iterator[Finding]:
        for stack in size.of(stage):
            if not stage.has(stack, str(fault["resource"])):
                continue

            def deployed(stack: str = stack) -> Recovery:
                stage.faults({"times": None, **fault, "stack": stack})
                first = stage.deploy(stack)
                stage.faults()
                recovery = recover(stage, stack, first=first)
                if recovery.runs == 1:
                    recovery.unexplained.append("nothing failed, so that nothing was proven")
                return recovery

            what = f"{stack}, {'as it stands' if standing else 'from nothing'}: {fault['resource']}"
            yield watched(stage, what, deployed, stack, moment=WHOLE if standing else f"before {stack}")

    return play


def _service(*resources: str) -> Play:
    """Return what lets a service answer neither a deployment that makes its resources nor one that reads them."""
    faults = [
        away(resource=resource, on=operation, message=UNAVAILABLE)
        for resource in resources
        for operation in ("create", "read")
    ]
    return lambda stage, size: one_after_the_other(*size.some(faults))(stage, size)


expired = away(resource="*", on="create", skip=2, message=EXPIRED)
registry = _service("azurerm_container_registry")
vault = _service("azurerm_key_vault_secret", "azurerm_key_vault")
entra = _service("azuread_*")
spot = away(resource="azurerm_kubernetes_cluster_node_pool", on="create", effect="no-capacity")
zone = away(resource="azurerm_kubernetes_cluster_node_pool", on="create", message=ZONE)
