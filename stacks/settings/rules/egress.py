"""The egress proxy and the company's roots."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from ..cluster import ClusterSettings
from ..egress import MOST_ROOTS, POLICIES_SINCE, TrustSettings, is_range, pods_are_given
from ..network import NetworkSettings
from .base import Finding

BEGIN = "-----BEGIN CERTIFICATE-----"


def the_proxy_can_be_reached(network: NetworkSettings) -> Iterator[Finding]:
    """Network policies know addresses, no names, and ranges match nothing inside the cluster."""
    proxy = network.egress_proxy
    if proxy is None:
        return
    key = ("network", "egress_proxy")
    if not 0 < proxy.port < 65536:
        yield Finding((*key, "url"), "has a port above 65535")
    if proxy.address is None and is_range(proxy.host):
        yield Finding((*key, "url"), "has a host that is neither a name nor an IPv4 address")
    elif proxy.address is None and not proxy.ranges:
        yield Finding(
            (*key, "ranges"), f"is required: the addresses of {proxy.host}, since network policies know no names"
        )
    elif proxy.address and proxy.ranges:
        yield Finding((*key, "ranges"), f"has no use: network.egress_proxy.url has the address {proxy.address} itself")
    for reached in map(IPv4Network, proxy.reached):
        if reached.prefixlen < 8:
            yield Finding((*key, "ranges"), f"lets pods reach {reached}, which is no proxy; name its addresses")
            continue
        for name in ("pod_cidr", "service_cidr"):
            if reached.overlaps(getattr(network, name)):
                inside = f"answers inside network.{name} ({getattr(network, name)}), where only pods do"
                yield Finding((*key, "ranges" if proxy.ranges else "url"), inside)


def what_is_reached_directly_is_well_formed(network: NetworkSettings) -> Iterator[Finding]:
    """An entry of digits and dots is a range without host bits."""
    proxy = network.egress_proxy
    for index, entry in enumerate(proxy.no_proxy if proxy else ()):
        key = ("network", "egress_proxy", "no_proxy", index)
        if not is_range(entry):
            if "/" in entry:
                yield Finding(key, "is neither a domain nor an IPv4 range")
            continue
        try:
            range_ = IPv4Network(entry, strict=False)
        except ValueError:
            yield Finding(key, "is neither an IPv4 address nor an IPv4 range")
            continue
        if "/" in entry and str(range_) != entry:
            yield Finding(key, f"has host bits set; write {range_}")
        elif range_.prefixlen < 8:
            yield Finding(key, "leaves nothing to the proxy; name what is reached directly")


def nodes_take_the_roots(trust: TrustSettings) -> Iterator[Finding]:
    """AKS installs a limited number of certificates; an entry may hold several."""
    number = sum(roots.count(BEGIN) for roots in trust.company_roots)
    if number > MOST_ROOTS:
        yield Finding(
            ("trust", "company_roots"), f"holds {number} certificates, AKS takes {MOST_ROOTS}", shows_value=False
        )


def pods_can_be_told(network: NetworkSettings, trust: TrustSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """What pods are given comes by a mutating admission policy, which older clusters do not serve."""
    if pods_are_given(cluster):
        return
    given = {
        ("network", "egress_proxy"): network.egress_proxy is not None,
        ("trust", "company_roots"): bool(trust.company_roots),
    }
    for key in (key for key, is_given in given.items() if is_given):
        yield Finding(
            key,
            f"needs Kubernetes 1.{POLICIES_SINCE} or newer (cluster.kubernetes_version), whose admission"
            " policies give it to pods",
            shows_value=False,
        )


RULES = (
    the_proxy_can_be_reached,
    what_is_reached_directly_is_well_formed,
    nodes_take_the_roots,
    pods_can_be_told,
)
