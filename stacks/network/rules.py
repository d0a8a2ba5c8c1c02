"""Who may reach which subnet: pure rules from the settings."""

from collections.abc import Sequence

from constructs.guarded_subnet import InboundRule
from stacks.settings.network import IngressMode, IngressSettings, NetworkSettings
from stacks.settings.private_access import Nameserver, PrivateAccessSettings

from .endpoints import Service

LOAD_BALANCER_PROBES = InboundRule(name="load-balancer-probes", sources=("AzureLoadBalancer",), protocol="*")


PRIVATE_CALLERS = ("VirtualNetwork",)
"""Azure's tag for the network, the networks peered with it and those behind its gateways:
https://learn.microsoft.com/azure/virtual-network/service-tags-overview"""


def nodes_rules(
    network: NetworkSettings, ingress: IngressSettings, private_access: PrivateAccessSettings | None = None
) -> list[InboundRule]:
    """Rules of the node pools' subnet; `private_access` is given where nothing answers on the internet.

    Pods of Azure CNI Overlay keep their own addresses between nodes and the subnet's rules apply to them, so the pod
    range is named beside the nodes' (https://learn.microsoft.com/azure/aks/azure-cni-overlay#network-security-groups).
    """
    cluster = (str(network.nodes_subnet), str(network.pod_cidr))
    rules = [
        InboundRule(name="cluster", sources=cluster, destinations=cluster, protocol="*"),
        LOAD_BALANCER_PROBES,
    ]
    if ingress.mode is IngressMode.APPLICATION_GATEWAY:
        gateway = (str(network.gateway_subnet),)
        rules.append(InboundRule(name="application-gateway", sources=gateway, destinations=cluster))
    elif private_access is not None:
        # A load balancer hands packets on as they came, with the address that they were sent to.
        rules += private_ingress_rules(ingress, private_access.nameserver)
    else:
        rules += _from_outside(ingress)
    return rules


def gateway_rules(ingress: IngressSettings) -> list[InboundRule]:
    """Rules of the Application Gateway's subnet; without a gateway nobody gets in.

    Azure demands the management ports:
    https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups
    """
    if ingress.mode is not IngressMode.APPLICATION_GATEWAY:
        return []
    management = InboundRule(name="gateway-manager", sources=("GatewayManager",), ports=("65200-65535",))
    return [management, LOAD_BALANCER_PROBES, *_from_outside(ingress)]


def private_ingress_rules(ingress: IngressSettings, nameserver: Nameserver) -> list[InboundRule]:
    """Rules of the subnet of the private addresses; the nodes' subnet has them too, where packets arrive."""
    return [_private_ingress(ingress), *([_nameserver(ingress)] if nameserver is Nameserver.COREDNS else [])]


def resolver_rules(ingress: IngressSettings) -> list[InboundRule]:
    """Rules of the DNS Private Resolver's subnet: names for whoever may reach the ingress."""
    return [_nameserver(ingress)]


def _private_ingress(ingress: IngressSettings) -> InboundRule:
    return InboundRule(name="private-ingress", sources=_private_callers(ingress), ports=("80", "443"))


def _nameserver(ingress: IngressSettings) -> InboundRule:
    return InboundRule(name="names", sources=_private_callers(ingress), ports=("53",), protocol="*")


def _private_callers(ingress: IngressSettings) -> tuple[str, ...]:
    return tuple(str(range_) for range_ in ingress.allowed_source_ranges) or PRIVATE_CALLERS


def endpoints_rules(network: NetworkSettings, services: Sequence[Service]) -> list[InboundRule]:
    """Rules of the private endpoints' subnet: the cluster and the private clients, on the services' own ports."""
    sources = (network.nodes_subnet, network.pod_cidr, *network.private_client_ranges)
    ports = sorted({port for service in services for port in service.ports}, key=int)
    return [InboundRule(name="services", sources=tuple(str(source) for source in sources), ports=tuple(ports))]


def _from_outside(ingress: IngressSettings) -> list[InboundRule]:
    """HTTPS for the allowed ranges, HTTP for everybody.

    Port 80 only redirects and answers Let's Encrypt's challenges, which come from addresses that nobody publishes.
    """
    ranges = tuple(str(range_) for range_ in ingress.allowed_source_ranges)
    return [
        InboundRule(name="front-door", sources=ranges or ("Internet",), ports=("443",)),
        InboundRule(name="redirects-and-challenges", sources=("Internet",), ports=("80",)),
    ]
