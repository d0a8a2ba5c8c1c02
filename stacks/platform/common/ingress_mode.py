"""What follows from the environment's ingress for every application: its class, its issuer, who sends requests."""

from stacks.common.hosts import Host
from stacks.settings import Settings
from stacks.settings.network import IngressMode, IngressSettings

from .traffic import Peer

INGRESS = "ingress"
"""Namespace of the ingress controller; in the mode `application-gateway` it is outside the cluster."""


def ingress_class(ingress: IngressSettings) -> str:
    """Ingress class of the chosen controller.

    AGIC's annotation writes it with a slash, which `ingressClassName` does not allow.
    """
    return "nginx" if ingress.mode is IngressMode.NGINX else "azure-application-gateway"


def cluster_issuer(ingress: IngressSettings) -> str:
    """Name of the issuer that certificates of this environment come from."""
    return f"letsencrypt-{ingress.acme_issuer}"


def certificate_secret(ingress: IngressSettings, host: Host) -> str:
    """Name of the Secret with the certificate of `host`, in the namespace of its Ingress.

    Each issuer has one of its own: what the real issuer's holds is never a certificate of staging, so that it may be
    kept in the vault, and is there again after a time with staging.
    """
    name = f"{host.ingress}-tls"
    return name if ingress.acme_issuer == "production" else f"{name}-{ingress.acme_issuer}"


def ingress_peer(settings: Settings) -> Peer:
    """Where requests of people and programs reach the applications' pods from."""
    if settings.ingress.mode is IngressMode.NGINX:
        return Peer(namespace=INGRESS)
    return Peer(cidr=str(settings.network.gateway_subnet))


def ingress_range(settings: Settings) -> str:
    """Range of addresses that requests of people and programs have when they reach a pod: the ingress' own.

    What the ingress says of a caller's address counts from there alone. It appends to `X-Forwarded-For`, so that the
    last address beyond this range is the caller's, and whatever stands before it is a claim.
    """
    if settings.ingress.mode is IngressMode.NGINX:
        return str(settings.network.pod_cidr)
    return str(settings.network.gateway_subnet)
