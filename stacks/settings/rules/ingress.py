"""Ingress mode and the scale of what stands behind it."""

from collections.abc import Iterator

from stacks.settings.network import IngressMode

from ..chat import ChatSettings
from ..llm_gateway import GatewayServiceSettings
from ..network import IngressSettings
from ..opik import OpikSettings
from .base import Finding


def ingress_mode_has_what_it_needs(ingress: IngressSettings) -> Iterator[Finding]:
    """The block of the Application Gateway stands in the file exactly when that mode is chosen."""
    key = ("ingress", "application_gateway")
    if ingress.mode is IngressMode.APPLICATION_GATEWAY and ingress.application_gateway is None:
        yield Finding(
            key, "is required by ingress.mode: application-gateway; write `application_gateway: {sku: WAF_v2}`"
        )
    if ingress.mode is IngressMode.NGINX and ingress.application_gateway is not None:
        yield Finding(key, "has no use with ingress.mode: nginx; remove it or choose application-gateway")


def gateway_capacity_is_ordered(ingress: IngressSettings) -> Iterator[Finding]:
    """The Application Gateway's maximum is at least its minimum."""
    gateway = ingress.application_gateway
    if gateway and gateway.max_capacity < gateway.min_capacity:
        yield Finding(
            ("ingress", "application_gateway", "max_capacity"),
            f"must be at least min_capacity ({gateway.min_capacity})",
        )


def service_replicas_are_ordered(
    chat: ChatSettings, gateway: GatewayServiceSettings, opik: OpikSettings
) -> Iterator[Finding]:
    """The maximum of chat, LLM gateway and Opik is at least what always runs."""
    services: dict[str, ChatSettings | GatewayServiceSettings | OpikSettings]
    services = {"chat": chat, "gateway": gateway, "opik": opik}
    for name, service in services.items():
        if service.max_replicas < service.replicas:
            yield Finding((name, "max_replicas"), f"must be at least replicas ({service.replicas})")


RULES = (ingress_mode_has_what_it_needs, gateway_capacity_is_ordered, service_replicas_are_ordered)
