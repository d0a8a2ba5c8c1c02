"""Reading resources out of synthesized stacks, for what must hold of every environment."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.support.stacks.synthesis import STACKS, Synthesized

Environment = Callable[[str], Synthesized]

ENVIRONMENTS = ("dev", "prod")

NODE_POOLS = ("azurerm_kubernetes_cluster_node_pool",)


def resources_of(synthesized: Synthesized, stack: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield type, `stack/name` and body of every resource."""
    for stack_name in [stack] if stack else STACKS:
        for kind, named in synthesized.stacks[stack_name].get("resource", {}).items():
            for resource, body in named.items():
                yield kind, f"{stack_name}/{resource}", body


def of_kind(synthesized: Synthesized, *kinds: str) -> dict[str, dict[str, Any]]:
    return {address: body for kind, address, body in resources_of(synthesized) if kind in kinds}


def the_one(synthesized: Synthesized, kind: str) -> dict[str, Any]:
    (body,) = of_kind(synthesized, kind).values()
    return body


def cluster_of(synthesized: Synthesized) -> dict[str, Any]:
    return the_one(synthesized, "azurerm_kubernetes_cluster")
