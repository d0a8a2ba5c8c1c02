"""What is not a pod: the addresses of places in an environment, and how Cilium sees them."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from stacks.platform.common.connections import Place
from stacks.settings.cluster import ApiAccess, ClusterSettings
from stacks.settings.network import NetworkSettings

from .cilium import Outside

OWN_NODE = "a pod's own node"
"""Always let in for the kubelet's probes; what it may be asked for is a place of its own."""

_INTERNET, _PUBLIC_API = "203.0.113.7", "198.51.100.10"
"""Of the ranges for documentation (RFC 5737): any address that nobody else stands for."""

CALLERS = frozenset({Place.INTERNET, Place.NODES, Place.KUBERNETES_API, Place.NETWORK, Place.APPLICATION_GATEWAY})
"""Places that open connections; the others only answer."""


def outside(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Outside]:
    """Yield every place, and the pods' own node."""
    private = cluster.api_access is ApiAccess.PRIVATE
    yield Outside(name=OWN_NODE, entity="host")
    yield Outside(name=Place.NODES, entity="remote-node")
    api = str(network.nodes_subnet[4]) if private else _PUBLIC_API
    yield Outside(name=Place.KUBERNETES_API, address=api, entity="kube-apiserver")
    addresses = {
        Place.INTERNET: _INTERNET,
        Place.METADATA: "169.254.169.254",
        Place.WIRE_SERVER: "168.63.129.16",
        Place.POSTGRESQL: network.endpoints_subnet[5],
        Place.KEY_VAULT: network.endpoints_subnet[6],
        Place.REGISTRY: network.endpoints_subnet[7],
        Place.STORAGE: network.endpoints_subnet[8],
        Place.APPLICATION_GATEWAY: network.gateway_subnet[5],
        Place.NETWORK: network.address_space[-2],
    }
    if proxy := network.egress_proxy:
        addresses[Place.EGRESS_PROXY] = IPv4Network(proxy.reached[0])[0]
    for place, address in addresses.items():
        yield Outside(name=place, address=str(address))
