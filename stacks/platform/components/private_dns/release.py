"""Chart values of CoreDNS that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.internal_address import INGRESS_SUBNET, internal_address
from stacks.settings import Settings


def private_dns(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the own chart: the zone, where its names lead to, and the fixed address that answers."""
    return {
        "image": images["private-dns/coredns"].values(),
        "zone": settings.domain,
        "ingressAddress": str(settings.ingress_address),
        "address": str(settings.nameserver_address),
        "serviceAnnotations": internal_address(str(settings.nameserver_address), subnet=INGRESS_SUBNET),
    }
