"""The virtual network, its ingress and egress, and the private endpoints of the durable services."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial

from cdktf_cdktf_provider_azurerm.virtual_network import VirtualNetwork
from constructs import Construct

from constructs.guarded_subnet import GuardedSubnet, NetworkReference
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
from stacks.settings.private_access import group_of, name_of

from .endpoints import Producers, private_services
from .private_access import add_private_access
from .private_endpoints import add_private_endpoints
from .rules import endpoints_rules, gateway_rules, nodes_rules
from .subnets import add_subnet


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
        network = self._virtual_network(settings.network)
        services = private_services(
            operators=settings.operators,
            vault=settings.vault,
            registry=settings.registry,
            backups=settings.backups,
            private_endpoints=settings.private_endpoints,
            model_store=settings.has_model_store,
        )
        ranges, ingress = settings.network, settings.ingress
        private = settings.private_access if settings.is_private else None
        subnet = partial(add_subnet, self, network=network)
        nodes = subnet("nodes", address_range=ranges.nodes_subnet, inbound=nodes_rules(ranges, ingress, private))
        gateway_subnet = subnet("gateway", address_range=ranges.gateway_subnet, inbound=gateway_rules(ingress))
        endpoints = subnet(
            "endpoints", address_range=ranges.endpoints_subnet, inbound=endpoints_rules(ranges, services)
        )
        producers = Producers(disks=self.read(disks), acr=self.read(acr), database=self.read(database))
        add_private_endpoints(self, services, network=network, subnet=endpoints, producers=producers)
        addresses = self.read(address)
        self._outbound(nodes, addresses.outbound_ip_id)
        ingress_subnet_id = (
            add_private_access(self, network=network, addresses=addresses) if settings.is_private else ""
        )
        gateway_id = firewall_policy_id = ""
        if gateway := self._gateway_settings:
            # Slow bindings, as below.
            from .application_gateway import add_firewall_policy, add_gateway  # noqa: PLC0415

            firewall_policy_id = add_firewall_policy(self, gateway, routes)
            gateway_id = add_gateway(
                self,
                gateway,
                subnet=gateway_subnet,
                public_ip_id=addresses.public_ip_id,
                firewall_policy_id=firewall_policy_id,
            )
        self._leave_former_address()
        self.outputs = NetworkOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            vnet_id=network.id,
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

    @property
    def _gateway_settings(self) -> GatewaySettings | None:
        """None in the ingress mode without a gateway."""
        ingress = self.settings.ingress
        return ingress.application_gateway if ingress.mode is IngressMode.APPLICATION_GATEWAY else None

    def _outbound(self, nodes: GuardedSubnet, public_ip_id: str) -> None:
        if self.settings.network.outbound is not Outbound.NAT_GATEWAY:
            return
        # Slow to import, and few environments have it.
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
