"""The Application Gateway and its firewall; imported where the ingress is one, since the bindings are slow."""

from collections.abc import Mapping

from constructs.application_gateway import ApplicationGateway
from constructs.firewall_policy import FirewallPolicy
from constructs.guarded_subnet import GuardedSubnet
from stacks.common.base import EnvironmentStack
from stacks.common.routes import HostRoutes
from stacks.settings.network import GatewaySettings

from .firewall_routes import refused_requests


def add_firewall_policy(stack: EnvironmentStack, gateway: GatewaySettings, routes: Mapping[str, HostRoutes]) -> str:
    """Add the policy that refuses what no host answers, and return its id; empty for a gateway without a firewall."""
    if gateway.sku != "WAF_v2":
        return ""
    return FirewallPolicy(
        stack,
        "firewall",
        name=stack.names.resource("firewall"),
        group=stack.resource_group,
        mode=gateway.waf_mode,
        refused=refused_requests(routes),
        tags=stack.tags,
    ).policy.id


def add_gateway(
    stack: EnvironmentStack,
    gateway: GatewaySettings,
    *,
    subnet: GuardedSubnet,
    public_ip_id: str,
    firewall_policy_id: str,
) -> str:
    """Add the gateway and return its id."""
    return ApplicationGateway(
        stack,
        "ingress",
        name=stack.names.resource("gateway"),
        group=stack.resource_group,
        subnet_id=subnet.subnet.id,
        public_ip_id=public_ip_id,
        sku=gateway.sku,
        min_capacity=gateway.min_capacity,
        max_capacity=gateway.max_capacity,
        zones=[str(zone) for zone in sorted(stack.settings.azure.zones)],
        firewall_policy_id=firewall_policy_id or None,
        tags=stack.tags,
        # A gateway in a subnet that changes under it fails to start.
        depends_on=[subnet.guard],
    ).gateway.id
