"""What private exposure adds to the network: the subnet of the ingress, the zone's links, the nameserver."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_azurerm.private_dns_zone_virtual_network_link import PrivateDnsZoneVirtualNetworkLink

from constructs.guarded_subnet import NetworkReference
from stacks.common.base import EnvironmentStack
from stacks.common.outputs import AddressOutputs
from stacks.settings.private_access import Nameserver, PrivateAccessSettings, group_of

from .rules import private_ingress_rules, resolver_rules
from .subnets import add_subnet


def add_private_access(stack: EnvironmentStack, *, network: NetworkReference, addresses: AddressOutputs) -> str:
    """Add the subnet of the private ingress, whose id is returned, and what makes its names known."""
    settings = stack.settings
    ranges, access, ingress = settings.network, settings.private_access, settings.ingress
    subnet = add_subnet(
        stack,
        "ingress",
        network=network,
        address_range=ranges.ingress_subnet,
        inbound=private_ingress_rules(ingress, access.nameserver),
    )
    links = _zone_links(stack, access, network=network, addresses=addresses)
    if access.nameserver is Nameserver.RESOLVER:
        from constructs.dns_resolver import DnsResolver  # noqa: PLC0415 - slow bindings, which few environments need

        resolver = add_subnet(
            stack,
            "resolver",
            network=network,
            address_range=ranges.resolver_subnet,
            inbound=resolver_rules(ingress),
        )
        DnsResolver(
            stack,
            "nameserver",
            name=stack.names.resource("resolver"),
            group=stack.resource_group,
            network_id=network.id,
            subnet_id=resolver.subnet.id,
            address=str(settings.nameserver_address),
            tags=stack.tags,
            depends_on=[resolver.guard, *links],
        )
    return subnet.subnet.id


def _zone_links(
    stack: EnvironmentStack, access: PrivateAccessSettings, *, network: NetworkReference, addresses: AddressOutputs
) -> list[ITerraformDependable]:
    """Show the zone of the hosts to this network and to the others that are named."""
    networks = {"zone-link": network.id} if access.link_zone else {}
    networks |= {f"zone-link-{number}": id_ for number, id_ in enumerate(access.linked_network_ids, 1)}
    return [
        PrivateDnsZoneVirtualNetworkLink(
            stack,
            link,
            name=stack.names.resource(link),
            resource_group_name=group_of(access.zone_id) if access.zone_id else addresses.resource_group_name,
            private_dns_zone_name=stack.settings.domain,
            virtual_network_id=network_id,
            registration_enabled=False,
            tags=stack.tags,
        )
        for link, network_id in networks.items()
    ]
