"""What the nodes of a cluster cost that are there now."""

from collections.abc import Iterable

from .amount import Cost
from .charges import Charge
from .meters import virtual_machine
from .prices import Prices


def nodes_cost(nodes: Iterable[tuple[str, bool, int]], prices: Prices) -> Cost:
    """Return what they cost a month if they stayed: size, whether on spot, and count of each kind."""
    return sum(
        (prices.cost(Charge(size, virtual_machine(size, spot=spot), count, count)) for size, spot, count in nodes),
        Cost(),
    )
