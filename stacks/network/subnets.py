"""A subnet of the environment with its security rules."""

from collections.abc import Sequence
from ipaddress import IPv4Network

from constructs.guarded_subnet import GuardedSubnet, InboundRule, NetworkReference
from stacks.common.base import EnvironmentStack


def add_subnet(
    stack: EnvironmentStack,
    subnet: str,
    *,
    network: NetworkReference,
    address_range: IPv4Network,
    inbound: Sequence[InboundRule],
) -> GuardedSubnet:
    """Add a subnet that lets `inbound` in and nothing else; what is special about one follows from its name."""
    return GuardedSubnet(
        stack,
        subnet,
        name=stack.names.resource(f"{subnet}-nsg"),
        group=stack.resource_group,
        network=network,
        address_range=str(address_range),
        inbound=inbound,
        # Without it Azure applies no rule to private endpoints.
        private_endpoint_network_policies="NetworkSecurityGroupEnabled" if subnet == "endpoints" else "Disabled",
        # An Application Gateway reaches its management and certificate services that way.
        default_outbound_access=subnet == "gateway",
        delegated_to="Microsoft.Network/dnsResolvers" if subnet == "resolver" else "",
        tags=stack.tags,
    )
