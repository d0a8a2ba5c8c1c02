"""A private address for an Azure service, under the service's usual name."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.private_dns_zone import PrivateDnsZone
from cdktf_cdktf_provider_azurerm.private_dns_zone_virtual_network_link import PrivateDnsZoneVirtualNetworkLink
from cdktf_cdktf_provider_azurerm.private_endpoint import (
    PrivateEndpoint as AzurermPrivateEndpoint,
)
from cdktf_cdktf_provider_azurerm.private_endpoint import (
    PrivateEndpointPrivateDnsZoneGroup,
    PrivateEndpointPrivateServiceConnection,
)
from constructs import Construct

from .guarded_subnet import NetworkReference
from .resource_group import ResourceGroup


class PrivateEndpoint(Construct):
    """Private endpoint, DNS zone and link: inside `network` the service's public name leads to a private address.

    `in_zone_of` names another one whose zone and link it shares. `subresource` and `zone` are Azure's fixed names of
    the service: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
    """

    endpoint: AzurermPrivateEndpoint
    """Its address is found by name only; nothing should depend on the address."""
    dns_zone: PrivateDnsZone
    """Shared with the endpoint that `in_zone_of` names."""
    link: PrivateDnsZoneVirtualNetworkLink
    """Makes the zone visible in the network; shared like the zone."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        group: ResourceGroup,
        network: NetworkReference,
        subnet_id: str,
        target_id: str,
        subresource: str,
        zone: str,
        in_zone_of: "PrivateEndpoint | None" = None,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        if in_zone_of is None:
            self.dns_zone = PrivateDnsZone(self, "zone", name=zone, resource_group_name=group.name, tags=dict(tags))
            self.link = PrivateDnsZoneVirtualNetworkLink(
                self,
                "link",
                name=network.name,
                resource_group_name=group.name,
                private_dns_zone_name=self.dns_zone.name,
                virtual_network_id=network.id,
                registration_enabled=False,
                tags=dict(tags),
            )
        else:
            self.dns_zone, self.link = in_zone_of.dns_zone, in_zone_of.link
        self.endpoint = AzurermPrivateEndpoint(
            self,
            "endpoint",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            subnet_id=subnet_id,
            private_service_connection=PrivateEndpointPrivateServiceConnection(
                name=name,
                is_manual_connection=False,
                private_connection_resource_id=target_id,
                subresource_names=[subresource],
            ),
            private_dns_zone_group=PrivateEndpointPrivateDnsZoneGroup(
                name=subresource, private_dns_zone_ids=[self.dns_zone.id]
            ),
            tags=dict(tags),
            # A record in a zone that the network does not see yet would be cached as missing.
            depends_on=[self.link],
        )
