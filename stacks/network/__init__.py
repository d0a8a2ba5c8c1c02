"""The virtual network, its ingress and egress, and the private endpoints of the durable services."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from ipaddress import IPv4Network

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_azurerm.private_dns_zone_virtual_network_link import PrivateDnsZoneVirtualNetworkLink
from cdktf_cdktf_provider_azurerm.virtual_network import VirtualNetwork
from constructs import Construct

from constructs.guarded_subnet import GuardedSubnet, InboundRule, NetworkReference
from constructs.private_endpoint import PrivateEndpoint
from stacks.common import wiring
from stacks.common.base import EnvironmentStack, Tier
from stacks.common.outputs import (
    AcrOutputs,
    AddressOutputs,
    DatabaseOutputs,
    DisksOutputs,
    NetworkOutputs,
    PrivateNetworkOutputs,
)
from stacks.common.routes import HostRoutes
from stacks.settings import Settings
from stacks.settings.network import GatewaySettings, IngressMode, NetworkSettings, Outbound
from stacks.settings.private_access import Nameserver, PrivateAccessSettings, group_of, name_of

from .endpoints import Producers, Service, private_services
from .rules import endpoints_rules, gateway_rules, nodes_rules, private_ingress_rules, resolver_rules


class NetworkStack(EnvironmentStack):
    """Owns the virtual network, its security rules, egress, Application Gateway and private endpoints.

    With private access it owns the subnet of the ingress, the zone's links and the nameserver as well.

    Needs the addresses and the ids of the services behind the endpoints. Publishes subnets and Application Gateway.
    """

    stack_name = "network"
    tier = Tier.DISPOSABLE
    outputs: NetworkOutputs

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        *,
        routes: Mapping[str, HostRoutes],
        disks: wiring.Producer[DisksOutputs],
        acr: wiring.Producer[AcrOutputs],
        database: wiring.Producer[DatabaseOutputs],
        address: wiring.Producer[AddressOutputs],
    ) -> None:
        """Add all of it; `routes` are what each host answers, by its name in full."""
        super().__init__(scope, settings)
        self._routes = routes
        self._zones = [str(zone) for zone in sorted(settings.azure.zones)]
        self._network = self._virtual_network(settings.network)
        services = private_services(
            operators=settings.operators,
            vault=settings.vault,
            registry=settings.registry,
            backups=settings.backups,
            private_endpoints=settings.private_endpoints,
            model_store=settings.has_model_store,
        )
        ranges = settings.network
        private = settings.private_access if settings.is_private else None
        nodes = self._subnet("nodes", ranges.nodes_subnet, nodes_rules(ranges, settings.ingress, private))
        gateway_subnet = self._subnet("gateway", ranges.gateway_subnet, gateway_rules(settings.ingress))
        endpoints = self._subnet("endpoints", ranges.endpoints_subnet, endpoints_rules(ranges, services))
        self._add_private_endpoints(
            services, endpoints, Producers(disks=self.read(disks), acr=self.read(acr), database=self.read(database))
        )
        self._addresses = addresses = self.read(address)
        self._outbound(nodes, addresses.outbound_ip_id)
        ingress_subnet_id = self._private_access(ranges) if settings.is_private else ""
        firewall_policy_id = self._firewall_policy()
        gateway_id = self._gateway(gateway_subnet, addresses.public_ip_id, firewall_policy_id)
        self._leave_former_address()
        self.outputs = NetworkOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            vnet_id=self._network.id,
            nodes_subnet_id=nodes.subnet.id,
            gateway_subnet_id=gateway_subnet.subnet.id,
            endpoints_subnet_id=endpoints.subnet.id,
            application_gateway_id=gateway_id,
            firewall_policy_id=firewall_policy_id,
            one_way=self.one_way,
        )
        if settings.is_private:
            self.outputs = PrivateNetworkOutputs(
                **{field.name: getattr(self.outputs, field.name) for field in fields(self.outputs)},
                ingress_subnet_id=ingress_subnet_id,
            )
        wiring.publish(self, self.outputs)

    def _virtual_network(self, network: NetworkSettings) -> NetworkReference:
        """Return the network that the settings name, or a new one."""
        if given := network.existing_network_id:
            return NetworkReference(id=given, name=name_of(given), group_name=group_of(given))
        made = VirtualNetwork(
            self,
            "network",
            name=self.names.resource("vnet"),
            location=self.resource_group.location,
            resource_group_name=self.resource_group.name,
            address_space=[str(network.address_space)],
            tags=self.tags,
        )
        return NetworkReference(id=made.id, name=made.name, group_name=self.resource_group.name)

    def _private_access(self, ranges: NetworkSettings) -> str:
        """Add the subnet of the private ingress, which is returned, and what makes its names known."""
        access = self.settings.private_access
        subnet = self._subnet(
            "ingress", ranges.ingress_subnet, private_ingress_rules(self.settings.ingress, access.nameserver)
        )
        links = self._zone_links(access)
        if access.nameserver is Nameserver.RESOLVER:
            from constructs.dns_resolver import DnsResolver  # noqa: PLC0415 - slow bindings, as below

            resolver = self._subnet("resolver", ranges.resolver_subnet, resolver_rules(self.settings.ingress))
            DnsResolver(
                self,
                "nameserver",
                name=self.names.resource("resolver"),
                group=self.resource_group,
                network_id=self._network.id,
                subnet_id=resolver.subnet.id,
                address=str(self.settings.nameserver_address),
                tags=self.tags,
                depends_on=[resolver.guard, *links],
            )
        return subnet.subnet.id

    def _zone_links(self, access: PrivateAccessSettings) -> list[ITerraformDependable]:
        """Show the zone of the hosts to this network and to the others that are named."""
        settings, addresses = self.settings, self._addresses
        networks = {"zone-link": self._network.id} if access.link_zone else {}
        networks |= {f"zone-link-{number}": id_ for number, id_ in enumerate(access.linked_network_ids, 1)}
        return [
            PrivateDnsZoneVirtualNetworkLink(
                self,
                link,
                name=self.names.resource(link),
                resource_group_name=group_of(access.zone_id) if access.zone_id else addresses.resource_group_name,
                private_dns_zone_name=settings.domain,
                virtual_network_id=network_id,
                registration_enabled=False,
                tags=self.tags,
            )
            for link, network_id in networks.items()
        ]

    @property
    def _gateway_settings(self) -> GatewaySettings | None:
        """None in the ingress mode without a gateway."""
        ingress = self.settings.ingress
        return ingress.application_gateway if ingress.mode is IngressMode.APPLICATION_GATEWAY else None

    def _subnet(self, subnet: str, address_range: IPv4Network, inbound: Sequence[InboundRule]) -> GuardedSubnet:
        return GuardedSubnet(
            self,
            subnet,
            name=self.names.resource(f"{subnet}-nsg"),
            group=self.resource_group,
            network=self._network,
            address_range=str(address_range),
            inbound=inbound,
            # Without it Azure applies no rule to private endpoints.
            private_endpoint_network_policies="NetworkSecurityGroupEnabled" if subnet == "endpoints" else "Disabled",
            # An Application Gateway reaches its management and certificate services that way.
            default_outbound_access=subnet == "gateway",
            delegated_to="Microsoft.Network/dnsResolvers" if subnet == "resolver" else "",
            tags=self.tags,
        )

    def _add_private_endpoints(
        self, services: Sequence[Service], endpoints: GuardedSubnet, producers: Producers
    ) -> None:
        made: dict[str, PrivateEndpoint] = {}
        for service in services:
            made[service.name] = PrivateEndpoint(
                self,
                service.name,
                name=self.names.resource(f"{service.name}-endpoint"),
                group=self.resource_group,
                network=self._network,
                subnet_id=endpoints.subnet.id,
                target_id=service.resource_id(producers),
                subresource=service.subresource,
                zone=service.zone,
                in_zone_of=made.get(service.shares_zone_of),
                tags=self.tags,
            )

    def _outbound(self, nodes: GuardedSubnet, public_ip_id: str) -> None:
        if self.settings.network.outbound is not Outbound.NAT_GATEWAY:
            return
        # Here, as below: these bindings are slow to import, and few environments have them.
        from constructs.nat_gateway import NatGateway  # noqa: PLC0415

        NatGateway(
            self,
            "outbound",
            name=self.names.resource("outbound"),
            group=self.resource_group,
            subnet=nodes.subnet,
            public_ip_id=public_ip_id,
            idle_timeout_minutes=self.settings.network.nat_idle_timeout_minutes,
            tags=self.tags,
        )

    def _leave_former_address(self) -> None:
        """Have Terraform forget the address that this stack owned before the stack `address` existed.

        A load balancer holds it until the platform is deployed, and Azure refuses to delete an address in use.
        """
        former = {"from": "azurerm_public_ip.front-door", "lifecycle": {"destroy": False}}
        self.add_override("removed", [former])

    def _firewall_policy(self) -> str:
        gateway = self._gateway_settings
        if gateway is None or gateway.sku != "WAF_v2":
            return ""
        from constructs.firewall_policy import FirewallPolicy  # noqa: PLC0415 - slow bindings, as above

        from .firewall_routes import refused_requests  # noqa: PLC0415 - it imports the policy

        return FirewallPolicy(
            self,
            "firewall",
            name=self.names.resource("firewall"),
            group=self.resource_group,
            mode=gateway.waf_mode,
            refused=refused_requests(self._routes),
            tags=self.tags,
        ).policy.id

    def _gateway(self, subnet: GuardedSubnet, public_ip_id: str, firewall_policy_id: str) -> str:
        gateway = self._gateway_settings
        if gateway is None:
            return ""
        from constructs.application_gateway import ApplicationGateway  # noqa: PLC0415 - as the policy

        return ApplicationGateway(
            self,
            "ingress",
            name=self.names.resource("gateway"),
            group=self.resource_group,
            subnet_id=subnet.subnet.id,
            public_ip_id=public_ip_id,
            sku=gateway.sku,
            min_capacity=gateway.min_capacity,
            max_capacity=gateway.max_capacity,
            zones=self._zones,
            firewall_policy_id=firewall_policy_id or None,
            tags=self.tags,
            # A gateway in a subnet that changes under it fails to start.
            depends_on=[subnet.guard],
        ).gateway.id
