"""Chart values of cert-manager and of the issuers that only the stack knows."""

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_annotations import RENEW_BEFORE_PERCENT
from stacks.platform.common.ingress_mode import (
    INGRESS,
    INTERNAL_ISSUER,
    WILDCARD_SECRET,
    cluster_issuer,
    ingress_class,
    private_issuer,
)
from stacks.platform.components.secrets.names import NAMESPACE as OPERATOR_NAMESPACE
from stacks.platform.components.secrets.names import OPERATOR_ACCOUNT, VAULT_READER
from stacks.settings import Settings
from stacks.settings.network import IngressSettings
from stacks.settings.private_access import CertificateSource, PrivateAccessSettings, group_of, name_of, subscription_of
from stacks.settings.secrets.names import INTERNAL_CA

from .kept import KeptSecret
from .names import KEEPER

ACME_DIRECTORIES = {
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
}
PUBLIC_RESOLVERS = ("https://1.1.1.1/dns-query", "https://8.8.8.8/dns-query")
"""Asked over HTTPS for the records of a challenge: the cluster's own resolver sees the private zone of the same name,
which has none of them."""

_IMAGES = ("controller", "webhook", "cainjector", "acmesolver", "startupapicheck")


def cert_manager(images: Mapping[str, Image], *, client_id: str, tenant_id: str) -> dict[str, Any]:
    """Values of cert-manager, whose account acts as the managed identity `client_id`."""
    image = {name: images[f"cert-manager/{name}"].values() for name in _IMAGES}
    return {
        "image": image["controller"],
        "serviceAccount": {"annotations": identity_annotations(client_id, tenant_id)},
        **{name: {"image": image[name]} for name in _IMAGES if name != "controller"},
    }


def public_lookups(private_access: PrivateAccessSettings, *, is_private: bool) -> dict[str, Any]:
    """Values of cert-manager by which it looks challenges up where Let's Encrypt does."""
    if not is_private or private_access.certificates is not CertificateSource.LETS_ENCRYPT_DNS:
        return {}
    return {"dns01RecursiveNameservers": ",".join(PUBLIC_RESOLVERS), "dns01RecursiveNameserversOnly": True}


def private_certificates(
    settings: Settings, images: Mapping[str, Image], *, vault_uri: str, client_id: str, tenant_id: str
) -> dict[str, Any]:
    """Values of the own chart with the issuer and the certificate of a private environment.

    `client_id` is the managed identity that writes records of challenges.
    """
    access, source = settings.private_access, settings.private_access.certificates
    values: dict[str, Any] = {
        "source": source.value,
        "domain": settings.domain,
        "issuer": private_issuer(settings.private_access, settings.ingress),
        "certificate": {"namespace": INGRESS, "secret": WILDCARD_SECRET},
        "renewBeforePercentage": RENEW_BEFORE_PERCENT,
    }
    if source is CertificateSource.INTERNAL_CA:
        values["ca"] = {
            "name": INTERNAL_ISSUER,
            "commonName": f"{settings.azure_names.base} internal CA",
            "rootHours": access.root_years * 365 * 24,
            "leafHours": access.leaf_days * 24,
            "kept": INTERNAL_CA,
            "image": str(images["kept-certificates/curl"]),
        }
    if source is CertificateSource.LETS_ENCRYPT_DNS and access.public_zone_id:
        zone = access.public_zone_id
        values["acme"] = {
            "directory": ACME_DIRECTORIES[settings.ingress.acme_issuer],
            "email": str(settings.ingress.acme_email),
            "zone": {"name": name_of(zone), "group": group_of(zone), "subscription": subscription_of(zone)},
            "identity": {"clientId": client_id, "tenantId": tenant_id},
        }
    if source is CertificateSource.VAULT:
        values["vault"] = {
            "url": vault_uri,
            "tenantId": tenant_id,
            "name": str(access.certificate_name),
            "account": {"namespace": VAULT_READER.namespace, "name": VAULT_READER.name},
        }
    return values


def platform_issuers(ingress: IngressSettings) -> dict[str, Any]:
    """Values of the own chart with the Let's Encrypt issuers."""
    return {"email": str(ingress.acme_email), "ingressClassName": ingress_class(ingress)}


def issuer_of_kept(settings: Settings) -> str:
    """Name of the issuer that what is kept comes from: the internal CA is kept with the root that issued it."""
    if settings.has_internal_ca:
        return f"{INTERNAL_ISSUER}-root"
    return (
        private_issuer(settings.private_access, settings.ingress)
        if settings.is_private
        else cluster_issuer(settings.ingress)
    )


def kept_certificates(
    ingress: IngressSettings,
    images: Mapping[str, Image],
    kept: Iterable[KeptSecret],
    *,
    vault_uri: str,
    client_id: str,
    tenant_id: str,
    issuer: str = "",
) -> dict[str, Any]:
    """Values of the own chart that keeps certificates in the vault, as the managed identity `client_id`.

    `issuer` is given where they come from another one than a public ingress' own.
    """
    return {
        "store": {"vaultUrl": vault_uri, "tenantId": tenant_id},
        "account": {"name": KEEPER.name, "annotations": identity_annotations(client_id, tenant_id)},
        "operator": {"namespace": OPERATOR_NAMESPACE, "account": OPERATOR_ACCOUNT},
        "issuer": issuer or cluster_issuer(ingress),
        "image": str(images["kept-certificates/curl"]),
        "kept": [
            {"vault": it.vault, "namespace": it.namespace, "secret": it.name, "certificate": it.certificate}
            for it in kept
        ],
    }
