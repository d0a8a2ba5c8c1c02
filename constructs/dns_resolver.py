"""A nameserver inside the virtual network for clients outside of it."""

from collections.abc import Mapping

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_azurerm.private_dns_resolver import PrivateDnsResolver
from cdktf_cdktf_provider_azurerm.private_dns_resolver_inbound_endpoint import (
    PrivateDnsResolverInboundEndpoint,
    PrivateDnsResolverInboundEndpointIpConfigurations,
)
from constructs import Construct

from .resource_group import ResourceGroup


class DnsResolver(Construct):
    """Azure's DNS Private Resolver with one inbound endpoint at a fixed `address`.

    It answers whoever reaches the address with what the network itself sees: the private zones that are linked to it,
    and public names. The subnet is delegated to `Microsoft.Network/dnsResolvers` and holds nothing else
    (https://learn.microsoft.com/azure/dns/dns-private-resolver-overview#subnet-restrictions).
    """

    endpoint: PrivateDnsResolverInboundEndpoint
    """Answers a few minutes after Azure has made it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        group: ResourceGroup,
        network_id: str,
        subnet_id: str,
        address: str,
        tags: Mapping[str, str],
        depends_on: list[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        resolver = PrivateDnsResolver(
            self,
            "resolver",
            name=name,
            resource_group_name=group.name,
            location=group.location,
            virtual_network_id=network_id,
            tags=dict(tags),
        )
        self.endpoint = PrivateDnsResolverInboundEndpoint(
            self,
            "endpoint",
            name="inbound",
            private_dns_resolver_id=resolver.id,
            location=group.location,
            ip_configurations=PrivateDnsResolverInboundEndpointIpConfigurations(
                subnet_id=subnet_id, private_ip_allocation_method="Static", private_ip_address=address
            ),
            tags=dict(tags),
            depends_on=depends_on,
        )
