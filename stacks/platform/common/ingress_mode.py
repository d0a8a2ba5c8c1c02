"""What follows from the environment's ingress for every application: its class, its issuer, who sends requests."""

from stacks.common.hosts import Host
from stacks.settings.network import IngressMode, IngressSettings, NetworkSettings
from stacks.settings.private_access import CertificateSource, PrivateAccessSettings

from .traffic import Peer

INGRESS = "ingress"
"""Namespace of the ingress controller; in the mode `application-gateway` it is outside the cluster."""

TAILSCALE = "tailscale"
"""Namespace of the subnet router by which a tailnet reaches a private ingress."""
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where callers of a private ingress come from, unless the settings name ranges (RFC 1918)."""


def ingress_class(ingress: IngressSettings) -> str:
    """Ingress class of the chosen controller.

    AGIC's annotation writes it with a slash, which `ingressClassName` does not allow.
    """
    return "nginx" if ingress.mode is IngressMode.NGINX else "azure-application-gateway"


def cluster_issuer(ingress: IngressSettings) -> str:
    """Name of the issuer that certificates of this environment come from."""
    return f"letsencrypt-{ingress.acme_issuer}"


WILDCARD_SECRET = "wildcard-tls"  # noqa: S105 (a name, not a secret)
"""Certificate of every host of a private environment, in the namespace of the ingress controller and nowhere else."""
INTERNAL_ISSUER = "internal-ca"
"""Issuer whose key is the internal CA's, and that CA's Secret."""
DNS_ISSUER = "letsencrypt-dns"
"""Issuer of Let's Encrypt that proves a domain by records."""


def private_issuer(private_access: PrivateAccessSettings, ingress: IngressSettings) -> str:
    """Name of the issuer of a private environment; empty where a certificate comes from the vault."""
    issuers = {
        CertificateSource.INTERNAL_CA: INTERNAL_ISSUER,
        CertificateSource.LETS_ENCRYPT_DNS: f"{DNS_ISSUER}-{ingress.acme_issuer}",
        CertificateSource.VAULT: "",
    }
    return issuers[private_access.certificates]


def certificate_secret(ingress: IngressSettings, host: Host) -> str:
    """Name of the Secret with the certificate of `host`, in the namespace of its Ingress.

    Each issuer has one of its own: what the real issuer's holds is never a certificate of staging, so that it may be
    kept in the vault, and is there again after a time with staging.
    """
    name = f"{host.ingress}-tls"
    return name if ingress.acme_issuer == "production" else f"{name}-{ingress.acme_issuer}"


def ingress_peer(ingress: IngressSettings, network: NetworkSettings) -> Peer:
    """Where requests of people and programs reach the applications' pods from."""
    if ingress.mode is IngressMode.NGINX:
        return Peer(namespace=INGRESS)
    return Peer(cidr=str(network.gateway_subnet))


def ingress_range(ingress: IngressSettings, network: NetworkSettings) -> str:
    """Range of addresses that requests of people and programs have when they reach a pod: the ingress' own.

    What the ingress says of a caller's address counts from there alone. It appends to `X-Forwarded-For`, so that the
    last address beyond this range is the caller's, and whatever stands before it is a claim.
    """
    if ingress.mode is IngressMode.NGINX:
        return str(network.pod_cidr)
    return str(network.gateway_subnet)
