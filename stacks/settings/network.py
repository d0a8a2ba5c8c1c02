"""The network and the ingress."""

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from .egress import EgressProxySettings
from .one_way.marks import DecidedOnce
from .types import Cidr, EmailAddress, Model, Unique, resource_id, text


class Outbound(StrEnum):
    """How nodes reach the internet."""

    LOAD_BALANCER = "load-balancer"
    NAT_GATEWAY = "nat-gateway"


MOST_OUTBOUND_PORTS = 64_000
"""Ports of one outbound address of a load balancer:
https://learn.microsoft.com/azure/aks/load-balancer-standard#configure-the-allocated-outbound-ports"""

_SUBNET = DecidedOnce(
    stack="network", why="Azure does not renumber a subnet in use; `llmctl destroy` first, then deploy"
)
_CLUSTER_RANGE = DecidedOnce(
    stack="aks", why="it would replace the cluster under what runs in it; `llmctl destroy` first, then deploy"
)


class NetworkSettings(Model):
    """Address ranges and outbound connectivity."""

    address_space: Cidr = IPv4Network("10.40.0.0/16")
    """Range of the virtual network."""
    nodes_subnet: Annotated[Cidr, _SUBNET] = IPv4Network("10.40.0.0/20")
    """Range of the node pools' subnet."""
    gateway_subnet: Annotated[Cidr, _SUBNET] = IPv4Network("10.40.16.0/24")
    """Range of the Application Gateway's subnet; /24 or smaller, since AGIC with CNI Overlay needs that."""
    endpoints_subnet: Annotated[Cidr, _SUBNET] = IPv4Network("10.40.17.0/26")
    """Range of the private endpoints' subnet."""
    ingress_subnet: Cidr = IPv4Network("10.40.18.0/28")
    """Range for the private address of the ingress, with `exposure: private`."""
    resolver_subnet: Cidr = IPv4Network("10.40.18.16/28")
    """Range of the DNS Private Resolver, with `private_access.nameserver: resolver`; Azure asks for /28 to /24."""
    existing_network_id: (
        Annotated[str, resource_id("Microsoft.Network/virtualNetworks", "a virtual network")] | None
    ) = None
    """Virtual network that exists already, of the same subscription and region: the subnets are made in it, and
    `address_space` names the part of it that the platform may use. Left out, a network is made."""
    pod_cidr: Annotated[Cidr, _CLUSTER_RANGE] = IPv4Network("10.244.0.0/16")
    """Overlay range of the pods."""
    service_cidr: Annotated[Cidr, _CLUSTER_RANGE] = IPv4Network("10.96.0.0/16")
    """Range of the Kubernetes services; the cluster DNS gets its tenth address."""
    private_client_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Private ranges outside the virtual network, such as those of a VPN or a build agent, that may reach database,
    vault, registry and file share by their private addresses; joining the networks is not the platform's part."""
    outbound: Outbound = Outbound.LOAD_BALANCER
    """How nodes reach the internet: the cluster's load balancer, or a NAT gateway with more ports."""
    outbound_ports_per_node: Annotated[int, Field(ge=64, le=MOST_OUTBOUND_PORTS, multiple_of=8)] | None = None
    """Connections that each node may hold to one destination through the load balancer, of 64,000 for all nodes
    together. Left out, Azure shares them out by the number of nodes, 1,024 for each of up to 50, and breaks connections
    when that number crosses a limit."""
    nat_idle_timeout_minutes: Annotated[int, Field(ge=4, le=120)] = 30
    """Idle time after which the NAT gateway drops a connection."""
    egress_proxy: EgressProxySettings | None = None
    """HTTP proxy through which nodes and pods reach the internet; left out, they reach it directly. Another proxy, or
    another list of what is reached directly, makes AKS replace every node."""


class IngressMode(StrEnum):
    """Which controller answers on the public address."""

    NGINX = "nginx"
    APPLICATION_GATEWAY = "application-gateway"


class GatewaySettings(Model):
    """Azure Application Gateway; only used in the ingress mode of that name."""

    sku: Literal["Standard_v2", "WAF_v2"] = "WAF_v2"
    """With or without web application firewall."""
    waf_mode: Literal["Detection", "Prevention"] = "Prevention"
    """Whether the firewall logs or also blocks (`WAF_v2`). Only `Prevention` refuses routes that nobody may use."""
    min_capacity: Annotated[int, Field(ge=0, le=100)] = 1
    """Capacity units that are always there."""
    max_capacity: Annotated[int, Field(ge=2, le=125)] = 3
    """Capacity units that the Application Gateway may scale to."""


class IngressSettings(Model):
    """How requests from outside reach the applications."""

    mode: IngressMode = IngressMode.NGINX
    """Which controller answers: F5 NGINX inside the cluster, or an Azure Application Gateway before it."""
    dns_label: (
        Annotated[
            str,
            text(
                r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$",
                "3 to 63 lower-case letters, digits and dashes that begin with a letter and do not end with a dash",
            ),
        ]
        | None
    ) = None
    """Label of the public address's name below `<region>.cloudapp.azure.com`; derived when left out."""
    dns_zone_id: Annotated[str, resource_id("Microsoft.Network/dnsZones", "a public DNS zone")] | None = None
    """Azure DNS zone that the domain lies in, in the same subscription: the stack `address` then writes a CNAME record
    for each host. A record that somebody else has made stays, and Terraform stops. Left out, you make the records."""
    allowed_source_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """IPv4 ranges that may reach the ingress over HTTPS; empty means the whole internet.
    Port 80, which only redirects and answers Let's Encrypt, stays open to everybody. With `exposure: private` these are
    private ranges, for both ports; empty means the virtual network and every private network joined to it."""
    acme_email: EmailAddress | None = None
    """Contact address of the Let's Encrypt account; required wherever Let's Encrypt issues the certificates."""
    acme_issuer: Literal["staging", "production"] = "production"
    """Let's Encrypt's staging issuer, untrusted and without strict limits, or the real one."""
    application_gateway: GatewaySettings | None = None
    """Required by the mode `application-gateway`."""
    nginx_replicas: Annotated[int, Field(ge=1, le=10)] = 2
    """Pods of the controller in the mode `nginx`."""
