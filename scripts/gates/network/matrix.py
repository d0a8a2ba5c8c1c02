"""Compares what the policies let through with what is meant to happen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stacks.platform.common.connections import Connection

from .cilium import Flows, Object, OpenPort
from .contradictions import denied, nobody, undocumented, webhooks_without
from .edges import Edge, open_edges
from .ends import UNUSED, ends_of, name_of, title

_WELL_KNOWN = (22, 53, 80, 443, 5432, 8080, 10250, 32526)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One connection, and the pods and places that are its ends."""

    connection: Connection
    callers: tuple[str, ...]
    receivers: tuple[str, ...]

    def concerns(self, caller: str | None, receiver: str | None) -> bool:
        """Return whether its ends or their titles contain these texts."""
        return all(
            not text or any(text.lower() in name.lower() for name in (title(end), *names))
            for text, end, names in (
                (caller, self.connection.caller, self.callers),
                (receiver, self.connection.receiver, self.receivers),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Every connection, every open edge, and what is wrong."""

    rows: tuple[Row, ...]
    edges: tuple[Edge, ...]
    findings: tuple[str, ...]


def ports(connections: Iterable[Connection], pods: Iterable[Object], policies: Iterable[Object]) -> set[OpenPort]:
    """Return every port worth asking about: stated, declared by a pod, named in a policy, well known, or unused."""
    found = {OpenPort(port.number, port.protocol) for connection in connections for port in connection.ports}
    for pod in pods:
        for container in pod["spec"]["containers"]:
            found |= {OpenPort(port["containerPort"], port.get("protocol", "TCP")) for port in container["ports"]}
    for policy in policies:
        for rule in (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())):
            for port in rule.get("ports", ()):
                if isinstance(port.get("port"), int):
                    found.add(OpenPort(port["port"], port.get("protocol", "TCP")))
    return found | {OpenPort(number) for number in _WELL_KNOWN} | {OpenPort(53, "UDP"), *UNUSED}


def compare(
    flows: Flows,
    connections: Sequence[Connection],
    pods: Sequence[Object],
    webhooks: Iterable[Object] = (),
) -> Matrix:
    """Return the edges with what each is for, and what contradicts the connections.

    `webhooks` are pods that the Kubernetes API calls: a connection has to tell of each of them.
    """
    labels = {name_of(pod): pod["metadata"]["labels"] for pod in pods}
    stated: dict[tuple[str, str], list[Connection]] = defaultdict(list)
    findings = list(webhooks_without(webhooks, connections, labels))
    rows = []
    for connection in connections:
        callers, receivers = ends_of(connection.caller, labels), ends_of(connection.receiver, labels)
        rows.append(Row(connection=connection, callers=tuple(callers), receivers=tuple(receivers)))
        if connection.needed:
            findings += nobody(connection, callers, receivers)
        for caller in callers:
            for receiver in receivers:
                stated[caller, receiver].append(connection)
                findings += denied(connection, caller, receiver, flows)
    edges = tuple(open_edges(flows, stated))
    return Matrix(rows=tuple(rows), edges=edges, findings=(*findings, *undocumented(edges)))
