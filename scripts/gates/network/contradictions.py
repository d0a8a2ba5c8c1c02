"""What contradicts the connections: denied, open without one, or between pods that are not there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stacks.platform.common.connections import Connection
from stacks.platform.common.traffic import Peer

from .cilium import Flows, Object, OpenPort
from .edges import Edge
from .ends import PLACES, UNUSED, ends_of, port_title, title
from .places import OWN_NODE

UNBOUND = ("default", "kube-system")
"""Namespaces that every cluster has and the platform sets no policy for: AKS owns one, nothing runs in the other."""


def nobody(connection: Connection, callers: Sequence[str], receivers: Sequence[str]) -> Iterator[str]:
    """Yield the ends of a needed connection that no pod is."""
    for end, found in ((connection.caller, callers), (connection.receiver, receivers)):
        if not found:
            yield f"no pod is {title(end)}, which {_text(connection)} names"


def denied(connection: Connection, caller: str, receiver: str, flows: Flows) -> Iterator[str]:
    """Yield what a needed connection lacks between two of its ends."""
    if not connection.needed or caller == OWN_NODE:
        return
    wanted = {OpenPort(port.number, port.protocol) for port in connection.ports} or set(UNUSED)
    missing = wanted - flows.get((caller, receiver), frozenset())
    if missing:
        yield f"needed but denied: {caller} → {receiver}: {_ports(missing)} ({connection.why})"


def undocumented(edges: Iterable[Edge]) -> Iterator[str]:
    """Yield one line for every caller, receiver and set of ports that no connection tells of."""
    found: dict[tuple[str, str], set[OpenPort]] = defaultdict(set)
    for edge in edges:
        if not edge.whys and not _unbound(edge):
            found[edge.caller, edge.receiver].add(edge.port)
    by_ports: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (caller, receiver), opened in found.items():
        by_ports[caller, "every port" if UNUSED[0] in opened else _ports(opened)].append(receiver)
    by_receivers: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for (caller, text), receivers in by_ports.items():
        by_receivers[tuple(receivers), text].append(caller)
    for (receivers_of_all, text), callers in by_receivers.items():
        yield f"open but not documented: {_some(callers)} → {_some(receivers_of_all)}: {text}"


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _unbound(edge: Edge) -> bool:
    """Return whether neither end is a pod in a namespace of the platform: no policy of its own can bind those."""
    return all(end in PLACES or end.partition("/")[0] in UNBOUND for end in (edge.caller, edge.receiver))


def webhooks_without(
    webhooks: Iterable[Object], connections: Sequence[Connection], labels: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Yield the webhooks that no connection tells of, and those without a pod."""
    for webhook in webhooks:
        called = ends_of(Peer(namespace=webhook["namespace"], pods=webhook["selector"]), labels)
        for name in called:
            if not any(
                name in ends_of(connection.receiver, labels)
                and isinstance(connection.caller, Peer)
                and connection.caller.namespace == "kube-system"
                for connection in connections
            ):
                yield f"webhook without a connection: the Kubernetes API calls {name}, port {webhook['port']}"
        if not called:
            yield f"webhook without a pod: {webhook['namespace']}: {webhook['selector']}"


def _ports(found: Iterable[OpenPort]) -> str:
    return ", ".join(map(port_title, sorted(found)))


def _text(connection: Connection) -> str:
    return f"{title(connection.caller)} → {title(connection.receiver)} ({connection.why})"
