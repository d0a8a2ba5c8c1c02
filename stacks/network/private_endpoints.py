"""The private endpoints of the durable services, each with its name in a private zone."""

from collections.abc import Sequence

from constructs.guarded_subnet import GuardedSubnet, NetworkReference
from constructs.private_endpoint import PrivateEndpoint
from stacks.common.base import EnvironmentStack

from .endpoints import Producers, Service


def add_private_endpoints(
    stack: EnvironmentStack,
    services: Sequence[Service],
    *,
    network: NetworkReference,
    subnet: GuardedSubnet,
    producers: Producers,
) -> None:
    """Give each service an address in `subnet`; services of one zone share it, in their order."""
    made: dict[str, PrivateEndpoint] = {}
    for service in services:
        made[service.name] = PrivateEndpoint(
            stack,
            service.name,
            name=stack.names.resource(f"{service.name}-endpoint"),
            group=stack.resource_group,
            network=network,
            subnet_id=subnet.subnet.id,
            target_id=service.resource_id(producers),
            subresource=service.subresource,
            zone=service.zone,
            in_zone_of=made.get(service.shares_zone_of),
            tags=stack.tags,
        )
