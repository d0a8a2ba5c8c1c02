"""Address ranges: private, disjoint, large enough."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations
from math import ceil

from ..cluster import ClusterSettings
from ..network import MOST_OUTBOUND_PORTS, IngressMode, IngressSettings, NetworkSettings, Outbound
from ..private_access import Exposure, Nameserver, PrivateAccessSettings
from .base import Finding

AZURE_RESERVED_ADDRESSES = 5
"""Addresses that Azure keeps for itself in every subnet."""
PRIVATE_ENDPOINT_ADDRESSES = 6
"""Vault, database, file share, and the registry with two plus one to spare."""
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
RESERVED = {
    IPv4Network("100.64.0.0/10"): "carrier-grade NAT, Tailscale",
    IPv4Network("169.254.0.0/16"): "link-local, AKS",
    IPv4Network("172.30.0.0/16"): "AKS",
    IPv4Network("172.31.0.0/16"): "AKS",
    IPv4Network("192.0.2.0/24"): "AKS",
}
"""Ranges that neither network, pods nor services may touch (Microsoft Learn, Azure CNI Overlay prerequisites)."""

_SUBNETS = ("nodes_subnet", "gateway_subnet", "endpoints_subnet")
_TOP = ("address_space", "pod_cidr", "service_cidr")


def ranges_are_usable(network: NetworkSettings) -> Iterator[Finding]:
    """The three ranges of the cluster are private, and none is taken by Azure or Tailscale."""
    for name in _TOP:
        chosen: IPv4Network = getattr(network, name)
        reserved = next((range_ for range_ in RESERVED if chosen.overlaps(range_)), None)
        if reserved:
            use = f"overlaps {reserved}, which is reserved ({RESERVED[reserved]}); choose another private range"
            yield Finding(("network", name), use)
        elif not any(chosen.subnet_of(private) for private in PRIVATE):
            yield Finding(("network", name), f"must lie in one of {', '.join(map(str, PRIVATE))}")


def _subnets(exposure: Exposure, private_access: PrivateAccessSettings) -> tuple[str, ...]:
    """Return the subnets that there are."""
    if exposure is not Exposure.PRIVATE:
        return _SUBNETS
    resolver = private_access.nameserver is Nameserver.RESOLVER
    return (*_SUBNETS, "ingress_subnet", *(["resolver_subnet"] if resolver else []))


def ranges_are_disjoint(
    network: NetworkSettings, exposure: Exposure, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """Network, pods and services do not overlap, nor do the subnets."""
    for names in (_TOP, _subnets(exposure, private_access)):
        for one, other in combinations(names, 2):
            if getattr(network, one).overlaps(getattr(network, other)):
                clash = f"overlaps network.{one} ({getattr(network, one)}); choose ranges that do not touch"
                yield Finding(("network", other), clash)
    for index, outside in enumerate(network.private_client_ranges):
        for name in _TOP:
            if outside.overlaps(getattr(network, name)):
                clash = f"overlaps network.{name} ({getattr(network, name)}), so that no answer would find its way back"
                yield Finding(("network", "private_client_ranges", index), clash)


def subnets_lie_in_the_network(
    network: NetworkSettings, exposure: Exposure, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """Every subnet is a part of the virtual network's range."""
    for name in _subnets(exposure, private_access):
        if not getattr(network, name).subnet_of(network.address_space):
            yield Finding(("network", name), f"must lie inside network.address_space ({network.address_space})")


def gateway_subnet_suits_agic(network: NetworkSettings, ingress: IngressSettings) -> Iterator[Finding]:
    """AGIC with CNI Overlay takes a /24 or smaller, and the Application Gateway needs an address per instance."""
    subnet = network.gateway_subnet
    if subnet.prefixlen < 24:
        smaller = f"{subnet.network_address}/24"
        yield Finding(
            ("network", "gateway_subnet"), f"must be /24 or smaller, as AGIC with CNI Overlay asks; write {smaller}"
        )
    gateway = ingress.application_gateway
    if ingress.mode is IngressMode.APPLICATION_GATEWAY and gateway:
        usable = subnet.num_addresses - AZURE_RESERVED_ADDRESSES
        if gateway.max_capacity > usable:
            yield Finding(
                ("network", "gateway_subnet"),
                f"has {usable} usable addresses, fewer than ingress.application_gateway.max_capacity"
                f" ({gateway.max_capacity}); enlarge the one or lower the other",
            )


def endpoints_subnet_is_large_enough(network: NetworkSettings) -> Iterator[Finding]:
    """There is an address for every private endpoint."""
    subnet = network.endpoints_subnet
    needed = AZURE_RESERVED_ADDRESSES + PRIVATE_ENDPOINT_ADDRESSES
    if subnet.num_addresses < needed:
        short = f"has {subnet.num_addresses} addresses, {needed} are needed; make it /28 or larger"
        yield Finding(("network", "endpoints_subnet"), short)


def largest_node_count(cluster: ClusterSettings) -> int:
    """Return how many nodes the pools reach together while they are upgraded, each with a surge of a tenth."""
    sizes = [cluster.system_pool.max_nodes, cluster.workload_pool.max_nodes]
    sizes += [pool.max_nodes for pool in cluster.gpu_pools.values()]
    return sum(size + ceil(size / 10) for size in sizes)


def nodes_subnet_is_large_enough(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """Every node that may exist has an address."""
    subnet = network.nodes_subnet
    nodes = largest_node_count(cluster)
    usable = subnet.num_addresses - AZURE_RESERVED_ADDRESSES
    if nodes > usable:
        yield Finding(
            ("network", "nodes_subnet"),
            f"has {subnet.num_addresses} - {AZURE_RESERVED_ADDRESSES} = {usable} usable addresses, but the pools reach"
            f" {nodes} nodes (max_nodes of all pools plus a tenth each for upgrades); enlarge it or lower max_nodes",
        )


def pod_cidr_is_large_enough(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """CNI Overlay gives each node a /24 of the pods' range."""
    pods = network.pod_cidr
    blocks = 2 ** max(0, 24 - pods.prefixlen) if pods.prefixlen <= 24 else 0
    nodes = largest_node_count(cluster)
    if nodes > blocks:
        yield Finding(
            ("network", "pod_cidr"),
            f"holds {blocks} blocks of /24, one per node, but the pools reach {nodes} nodes; enlarge it",
        )


def every_node_has_outbound_ports(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """The load balancer's address has ports for every node that may exist; AKS adds no node without."""
    ports, nodes = network.outbound_ports_per_node, largest_node_count(cluster)
    most = MOST_OUTBOUND_PORTS // nodes // 8 * 8
    if ports and network.outbound is Outbound.LOAD_BALANCER and ports > most:
        yield Finding(
            ("network", "outbound_ports_per_node"),
            f"takes {ports} of {MOST_OUTBOUND_PORTS} ports for each of the {nodes} nodes that the pools reach"
            f" (max_nodes of all pools plus a tenth each for upgrades); write {most} or less",
        )


def service_cidr_has_a_valid_size(network: NetworkSettings) -> Iterator[Finding]:
    """AKS takes service ranges smaller than /12; the cluster DNS and add-ons need a few hundred addresses."""
    if not 12 < network.service_cidr.prefixlen <= 24:
        yield Finding(("network", "service_cidr"), "must be between /13 and /24")


RULES = (
    ranges_are_usable,
    ranges_are_disjoint,
    subnets_lie_in_the_network,
    gateway_subnet_suits_agic,
    endpoints_subnet_is_large_enough,
    nodes_subnet_is_large_enough,
    pod_cidr_is_large_enough,
    every_node_has_outbound_ports,
    service_cidr_has_a_valid_size,
)
