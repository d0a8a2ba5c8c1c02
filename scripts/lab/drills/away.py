"""Something that a deployment needs does not answer for a while: a service, a login, capacity, a zone."""

from collections.abc import Callable, Iterator, Mapping

from .base import Finding, Size
from .killed import QUICK
from .stage import Recovery, Stage
from .watched import watched

EXPIRED = "ExpiredAuthenticationToken: The access token expiry UTC time is earlier than current UTC time"
"""https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors"""
UNAVAILABLE = "unexpected status 503 (503 Service Unavailable) with error: ServiceUnavailable: {address}"
ZONE = (
    "creating {address}: unexpected status 409 (409 Conflict) with error: ZonalAllocationFailed: We do not have"
    " sufficient capacity for the requested VM size in this zone."
)


def away(*faults: Mapping[str, object]) -> Callable[[Stage, Size], Iterator[Finding]]:
    """Return what deploys stacks from nothing while the errors hold, and again once they are over.

    Each error names its stack; one that does not takes part with every stack.
    """

    def play(stage: Stage, size: Size) -> Iterator[Finding]:
        for fault in faults:
            named = str(fault.get("stack", ""))
            for stack in [named] if named else stage.stacks:
                if stack not in stage.stacks or not (size.everything or stack in QUICK):
                    continue

                def deployed(stack: str = stack, fault: Mapping[str, object] = fault) -> Recovery:
                    stage.faults({"times": None, **fault, "stack": stack})
                    first = stage.deploy(stack)
                    stage.faults()
                    return stage.recover(stack, first=first)

                what = f"{stack}: {fault['resource']}"
                yield watched(stage, what, deployed, stack, moment=f"before {stack}")

    return play


expired = away({"resource": "*", "on": "create", "skip": 2, "message": EXPIRED})
registry = away({"resource": "azurerm_container_registry", "on": "create", "message": UNAVAILABLE, "stack": "acr"})
vault = away(
    {"resource": "azurerm_key_vault_secret", "on": "create", "message": UNAVAILABLE, "stack": "database"},
    {"resource": "azurerm_key_vault", "on": "read", "message": UNAVAILABLE, "stack": "database"},
)
entra = away({"resource": "azuread_*", "on": "create", "message": UNAVAILABLE, "stack": "identity"})
spot = away({"resource": "azurerm_kubernetes_cluster_node_pool", "effect": "no-capacity", "stack": "aks"})
zone = away({"resource": "azurerm_kubernetes_cluster_node_pool", "message": ZONE, "stack": "aks"})
