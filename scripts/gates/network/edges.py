"""Connections that the policies let through, with what each is for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stacks.platform.common.connections import Connection, Place

from .cilium import Flows, OpenPort
from .ends import PLACES
from .places import CALLERS, OWN_NODE

_ONLY_ANSWER = PLACES - {place.value for place in CALLERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A connection that both ends let through, and what it is for."""

    caller: str
    receiver: str
    port: OpenPort
    whys: tuple[str, ...]
    """Empty where no connection of a component tells of it."""


def open_edges(flows: Flows, stated: Mapping[tuple[str, str], Sequence[Connection]]) -> Iterator[Edge]:
    """Yield every open port of every pair, with the reasons that the connections between the two give for it."""
    for (caller, receiver), opened in flows.items():
        if caller == OWN_NODE or caller in _ONLY_ANSWER:
            continue
        # A pod's own node is a node as the others are.
        target = Place.NODES.value if receiver == OWN_NODE else receiver
        for port in sorted(opened):
            known = stated.get((caller, target), ())
            whys = dict.fromkeys(connection.why for connection in known if _has(connection, port))
            yield Edge(caller=caller, receiver=target, port=port, whys=tuple(whys))


def _has(connection: Connection, port: OpenPort) -> bool:
    return not connection.ports or any(
        (port.number, port.protocol) == (one.number, one.protocol) for one in connection.ports
    )
