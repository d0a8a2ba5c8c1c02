"""Whether the environment's address ranges clash with networks that it is, or will be, joined with."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from typing import Any

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..findings import Finding, warning
from ..surroundings import Surroundings

_NETWORK, _ON_PREMISES = "microsoft.network/virtualnetworks", "microsoft.network/localnetworkgateways"
QUERY = f"""resources
| where type in~ ('{_NETWORK}', '{_ON_PREMISES}')
| project id, type = tolower(type), prefixes = coalesce(properties.addressSpace.addressPrefixes,
    properties.localNetworkAddressSpace.addressPrefixes), peerings = properties.virtualNetworkPeerings"""
"""Of Azure Resource Graph: every network that this login may read, in all subscriptions of the tenant."""


class Prefixes(Shape):
    """Address ranges."""

    address_prefixes: list[str] | None = None


class Remote(Shape):
    """The other side."""

    id: str = ""


class PeeringFacts(Shape):
    """With which network something is peered."""

    remote_virtual_network: Remote = Remote()
    remote_address_space: Prefixes = Prefixes()


class Peering(Shape):
    """A peering, as the network that has it tells it."""

    properties: PeeringFacts = PeeringFacts()


class Network(Shape):
    """A virtual network, or what a local network gateway says lies on premises."""

    id: str
    type: str
    prefixes: list[str] | None = None
    peerings: list[Peering] | None = None

    @property
    def ranges(self) -> list[IPv4Network]:
        """Its IPv4 ranges."""
        return list(_ranges(self.prefixes))


class Networks(Shape):
    """An answer of Azure Resource Graph."""

    data: list[Network]


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield each clash. Raises AnswerError."""
    content: dict[str, Any] = {"query": QUERY, "options": {"resultFormat": "objectArray", "$top": 1000}}
    found = asked.azure.ask(operations.RESOURCE_GRAPH, Networks, content=content).data
    yield from clashes(asked, found)


def clashes(asked: Surroundings, found: Iterable[Network]) -> Iterator[Finding]:
    """Yield each clash between the environment's ranges and networks that it is or will be joined with."""
    found = list(found)
    mine = (
        f"{asked.group('network')}/providers/Microsoft.Network/virtualNetworks/{asked.settings.azure_names.resource('vnet')}"
    ).lower()
    own = next((one for one in found if one.id.lower() == mine), None)
    peered = (
        {peer.properties.remote_virtual_network.id.lower(): peer for peer in (own.peerings or ()) if own} if own else {}
    )
    for remote, peer in peered.items():
        ranges = list(_ranges(peer.properties.remote_address_space.address_prefixes))
        yield from _against(asked, f"the peered network {remote}", ranges)
    for one in found:
        if one.id.lower() in (mine, *peered):
            continue
        if _is_peered_with(one, mine):
            yield from _against(asked, f"{one.id}, which is peered with this environment,", one.ranges)
        elif _are_clients(asked, one.ranges):
            yield from _against(asked, f"{one.id}, in which network.private_client_ranges lie,", one.ranges)
        elif one.type == _ON_PREMISES:
            yield from _on_premises(asked, one, joined=bool(peered))


def _on_premises(asked: Surroundings, one: Network, *, joined: bool) -> Iterator[Finding]:
    for finding in _against(asked, f"the network on premises of {one.id}", one.ranges):
        sure = joined or bool(asked.settings.network.private_client_ranges)
        yield finding if sure else warning(finding.what, why=finding.why, fix=finding.fix)


def _is_peered_with(one: Network, mine: str) -> bool:
    return any(peer.properties.remote_virtual_network.id.lower() == mine for peer in one.peerings or ())


def _are_clients(asked: Surroundings, ranges: Iterable[IPv4Network]) -> bool:
    clients = asked.settings.network.private_client_ranges
    return any(range_.overlaps(client) for range_ in ranges for client in clients)


def _against(asked: Surroundings, other: str, ranges: Iterable[IPv4Network]) -> Iterator[Finding]:
    network = asked.settings.network
    ranges = list(ranges)
    for key in ("address_space", "pod_cidr", "service_cidr"):
        chosen: IPv4Network = getattr(network, key)
        for range_ in ranges:
            if chosen.overlaps(range_):
                yield Finding(
                    f"network.{key} {chosen} overlaps {range_} of {other.rstrip(',')}",
                    "Azure refuses to peer them, or answers do not find their way back"
                    if key == "address_space"
                    else "pods never reach those addresses: the cluster takes them for its own",
                    f"write another private range in network.{key}, before the network exists",
                )


def _ranges(prefixes: Iterable[str] | None) -> Iterator[IPv4Network]:
    for prefix in prefixes or ():
        if ":" not in prefix:
            yield IPv4Network(prefix, strict=False)
