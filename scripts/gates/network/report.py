"""The matrix of connections as people and programs read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from stacks.platform.common.connections import OUTSIDE, Connection, Place

from .cilium import OpenPort
from .edges import Edge
from .ends import port_title, title
from .matrix import Matrix, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Connections of one caller for one purpose, of which the receivers that are places are shown together."""

    caller: str
    receiver: str
    ports: str
    why: str
    connections: tuple[Connection, ...]

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """What people read."""
        return self.caller, self.receiver, self.ports, self.why


def lines(connections: Iterable[Connection]) -> list[Line]:
    """Return what people read of connections, sorted by caller and receiver."""
    groups: dict[tuple[str, str, str, str], list[Connection]] = {}
    for connection in connections:
        alone = "" if isinstance(connection.receiver, Place) else title(connection.receiver)
        why = connection.why if connection.needed else f"{connection.why} (open, not needed)"
        groups.setdefault((title(connection.caller), alone, ports(connection), why), []).append(connection)
    found = [
        Line(caller=caller, receiver=alone or _places(group), ports=numbers, why=why, connections=tuple(group))
        for (caller, alone, numbers, why), group in groups.items()
    ]
    return sorted(found, key=lambda line: line.texts)


def table(matrix: Matrix, caller: str | None = None, receiver: str | None = None) -> Table:
    """Return every connection of the callers and receivers whose names contain these texts."""
    shown = Table(box=None, pad_edge=False)
    for column in ("from", "to", "port", "why", "pairs"):
        shown.add_column(column, overflow="fold")
    open_ports = _open_ports(matrix)
    rows = {id(row.connection): row for row in matrix.rows if row.concerns(caller, receiver)}
    last = None
    for line in lines(row.connection for row in rows.values()):
        counted = _open([rows[id(connection)] for connection in line.connections], open_ports)
        shown.add_row("" if line.caller == last else line.caller, *line.texts[1:], counted)
        last = line.caller
    return shown


def for_programs(matrix: Matrix, caller: str | None = None, receiver: str | None = None) -> dict[str, Any]:
    """Return every open edge of callers and receivers whose names contain these texts, and all findings."""
    edges = [edge for edge in matrix.edges if _has(edge.caller, caller) and _has(edge.receiver, receiver)]
    return {"edges": [_edge(edge) for edge in edges], "findings": list(matrix.findings)}


def ports(connection: Connection) -> str:
    """Return the ports of a connection."""
    found = (port_title(OpenPort(port.number, port.protocol)) for port in connection.ports)
    return ", ".join(dict.fromkeys(found)) or "every port"


def _places(connections: Sequence[Connection]) -> str:
    named = [connection.receiver for connection in connections if isinstance(connection.receiver, Place)]
    everywhere = set(OUTSIDE) <= set(named)
    rest = [place.value for place in named if not (everywhere and place in OUTSIDE)]
    return ", ".join(["outside the cluster"] * everywhere + rest)


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "from": edge.caller,
        "to": edge.receiver,
        "port": edge.port.number,
        "protocol": edge.port.protocol,
        "why": list(edge.whys),
    }


def _open_ports(matrix: Matrix) -> dict[tuple[str, str], set[OpenPort]]:
    found: dict[tuple[str, str], set[OpenPort]] = {}
    for edge in matrix.edges:
        found.setdefault((edge.caller, edge.receiver), set()).add(edge.port)
    return found


def _open(rows: Iterable[Row], open_ports: Mapping[tuple[str, str], set[OpenPort]]) -> str:
    """Say how many pairs of ends there are, and for how many it is open where not for all."""
    count = total = 0
    for row in rows:
        wanted = {OpenPort(port.number, port.protocol) for port in row.connection.ports}
        pairs = [(caller, receiver) for caller in row.callers for receiver in row.receivers]
        total += len(pairs)
        count += sum(wanted <= open_ports.get(pair, set()) for pair in pairs)
    return f"{count} of {total} open" if count < total else f"{count}"


def _has(name: str, text: str | None) -> bool:
    return not text or text.lower() in name.lower()
