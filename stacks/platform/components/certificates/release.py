"""Chart values of cert-manager and of the issuers that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_mode import ingress_class
from stacks.settings.network import IngressSettings

_IMAGES = ("controller", "webhook", "cainjector", "acmesolver", "startupapicheck")


def cert_manager(images: Mapping[str, Image], *, client_id: str, tenant_id: str) -> dict[str, Any]:
    """Values of cert-manager, whose account acts as the managed identity `client_id`."""
    image = {name: images[f"cert-manager/{name}"].values() for name in _IMAGES}
    return {
        "image": image["controller"],
        "serviceAccount": {"annotations": identity_annotations(client_id, tenant_id)},
        **{name: {"image": image[name]} for name in _IMAGES if name != "controller"},
    }


def platform_issuers(ingress: IngressSettings) -> dict[str, Any]:
    """Values of the own chart with the Let's Encrypt issuers."""
    return {"email": str(ingress.acme_email), "ingressClassName": ingress_class(ingress)}
