"""Chart values of cert-manager and of the issuers that only the stack knows."""

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_mode import cluster_issuer, ingress_class
from stacks.platform.components.secrets.names import NAMESPACE as OPERATOR_NAMESPACE
from stacks.platform.components.secrets.names import OPERATOR_ACCOUNT
from stacks.settings.network import IngressSettings

from .kept import KeptSecret
from .names import KEEPER

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


def kept_certificates(
    ingress: IngressSettings,
    images: Mapping[str, Image],
    kept: Iterable[KeptSecret],
    *,
    vault_uri: str,
    client_id: str,
    tenant_id: str,
) -> dict[str, Any]:
    """Values of the own chart that keeps certificates in the vault, as the managed identity `client_id`."""
    return {
        "store": {"vaultUrl": vault_uri, "tenantId": tenant_id},
        "account": {"name": KEEPER.name, "annotations": identity_annotations(client_id, tenant_id)},
        "operator": {"namespace": OPERATOR_NAMESPACE, "account": OPERATOR_ACCOUNT},
        "issuer": cluster_issuer(ingress),
        "image": str(images["kept-certificates/curl"]),
        "kept": [
            {"vault": it.vault, "namespace": it.namespace, "secret": it.name, "certificate": it.certificate}
            for it in kept
        ],
    }
