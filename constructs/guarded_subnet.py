"""A subnet with its network security group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_azurerm.network_security_group import (
    NetworkSecurityGroup,
    NetworkSecurityGroupSecurityRule,
)
from cdktf_cdktf_provider_azurerm.subnet import Subnet, SubnetDelegation, SubnetDelegationServiceDelegation
from cdktf_cdktf_provider_azurerm.subnet_network_security_group_association import (
    SubnetNetworkSecurityGroupAssociation,
)
from constructs import Construct

from .resource_group import ResourceGroup

FIRST_PRIORITY = 100
LAST_PRIORITY = 4096
"""Evaluated before Azure's own default rules, which let the whole virtual network in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRule:
    """Traffic that a subnet lets in."""

    name: str
    sources: tuple[str, ...]
    """Ranges, or a single service tag: Azure takes tags one at a time."""
    destinations: tuple[str, ...] = ("*",)
    ports: tuple[str, ...] = ("*",)
    protocol: str = "Tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkReference:
    """A virtual network, made beside the subnet or by somebody else."""

    id: str
    name: str
    group_name: str


class GuardedSubnet(Construct):
    """A subnet whose security group lets in what `inbound` names, in that order, and nothing else.

    The rules stand inside the group, so that one added by hand is removed by the next deployment. Outgoing traffic is
    left to Azure's defaults.
    """

    subnet: Subnet
    """The subnet; its rules may not be in force yet."""
    guard: SubnetNetworkSecurityGroupAssociation
    """What has to wait until the rules are in force depends on it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        group: ResourceGroup,
        network: NetworkReference,
        address_range: str,
        inbound: Sequence[InboundRule],
        tags: Mapping[str, str],
        private_endpoint_network_policies: str = "Disabled",
        default_outbound_access: bool = False,
        delegated_to: str = "",
    ) -> None:
        """Add both; `delegated_to` is the Azure service that alone may use the subnet, where there is one."""
        super().__init__(scope, id_)
        self.subnet = Subnet(
            self,
            "subnet",
            name=id_,
            resource_group_name=network.group_name,
            virtual_network_name=network.name,
            address_prefixes=[address_range],
            default_outbound_access_enabled=default_outbound_access,
            private_endpoint_network_policies=private_endpoint_network_policies,
            delegation=[_delegation(delegated_to)] if delegated_to else None,
        )
        security_group = NetworkSecurityGroup(
            self,
            "security-group",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            security_rule=[
                *(_allow(rule, FIRST_PRIORITY + 10 * position) for position, rule in enumerate(inbound)),
                _rule("deny-everything-else", LAST_PRIORITY, access="Deny", protocol="*"),
            ],
            tags=dict(tags),
        )
        self.guard = SubnetNetworkSecurityGroupAssociation(
            self,
            "guard",
            subnet_id=self.subnet.id,
            network_security_group_id=security_group.id,
        )


def _delegation(service: str) -> SubnetDelegation:
    return SubnetDelegation(
        name=service.rpartition("/")[2],
        service_delegation=SubnetDelegationServiceDelegation(
            name=service, actions=["Microsoft.Network/virtualNetworks/subnets/join/action"]
        ),
    )


def _allow(rule: InboundRule, priority: int) -> NetworkSecurityGroupSecurityRule:
    return _rule(
        rule.name,
        priority,
        access="Allow",
        protocol=rule.protocol,
        sources=rule.sources,
        destinations=rule.destinations,
        ports=rule.ports,
    )


def _rule(
    name: str,
    priority: int,
    *,
    access: str,
    protocol: str,
    sources: tuple[str, ...] = ("*",),
    destinations: tuple[str, ...] = ("*",),
    ports: tuple[str, ...] = ("*",),
) -> NetworkSecurityGroupSecurityRule:
    # Azure refuses a rule that has both the singular and the plural form.
    return NetworkSecurityGroupSecurityRule(
        name=name,
        priority=priority,
        direction="Inbound",
        access=access,
        protocol=protocol,
        source_port_range="*",
        source_address_prefix=_one(sources),
        source_address_prefixes=_many(sources),
        destination_address_prefix=_one(destinations),
        destination_address_prefixes=_many(destinations),
        destination_port_range=_one(ports),
        destination_port_ranges=_many(ports),
    )


def _one(values: tuple[str, ...]) -> str | None:
    return values[0] if len(values) == 1 else None


def _many(values: tuple[str, ...]) -> list[str] | None:
    return list(values) if len(values) > 1 else None
