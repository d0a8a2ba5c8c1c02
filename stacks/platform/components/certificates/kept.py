"""What is kept in the vault for the next cluster: certificates, the key of the ACME account, the internal CA.

Let's Encrypt issues five certificates a week for the same names (https://letsencrypt.org/docs/rate-limits/), and HSTS
shuts browsers out of a host without one. A cluster that is made again finds what the last one had.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stacks.common.hosts import Host
from stacks.platform.common.ingress_mode import (
    INGRESS,
    INTERNAL_ISSUER,
    WILDCARD_SECRET,
    certificate_secret,
    cluster_issuer,
    private_issuer,
)
from stacks.settings import Settings
from stacks.settings.network import IngressSettings
from stacks.settings.private_access import CertificateSource
from stacks.settings.secrets.names import INTERNAL_CA, KEPT, WILDCARD

from .names import NAMESPACE

ACCOUNT_KEY = f"{KEPT}acme-account"
"""The account's key, in the vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """One Secret of the cluster that has a copy in the vault."""

    vault: str
    """Name in the vault."""
    namespace: str
    name: str
    certificate: bool
    """Whether it is a certificate; the account's key is none."""


def keeps(ingress: IngressSettings) -> bool:
    """Whether anything is kept: nothing of staging, whose limits are generous and which browsers distrust."""
    return ingress.acme_issuer == "production"


def every_vault_name(hosts: Iterable[Host], *, is_private: bool) -> tuple[str, ...]:
    """Return the names in the vault of all that may ever be kept of this environment, whose `hosts` are every one.

    A vault keeps them: also those of a time when it was public, and of another source of certificates.
    """
    return (*vault_names(hosts), *((INTERNAL_CA, WILDCARD) if is_private else ()))


def kept_of(settings: Settings, hosts: Iterable[Host]) -> tuple[KeptSecret, ...]:
    """Return what is kept of an environment, whose ingress answers for `hosts`."""
    if not settings.is_private:
        return kept_secrets(settings.ingress, hosts)
    source = settings.private_access.certificates
    if source is CertificateSource.INTERNAL_CA:
        return (KeptSecret(vault=INTERNAL_CA, namespace=NAMESPACE, name=INTERNAL_ISSUER, certificate=True),)
    if source is CertificateSource.VAULT or not keeps(settings.ingress):
        return ()
    account = f"{private_issuer(settings.private_access, settings.ingress)}-account"
    return (
        KeptSecret(vault=ACCOUNT_KEY, namespace=NAMESPACE, name=account, certificate=False),
        KeptSecret(vault=WILDCARD, namespace=INGRESS, name=WILDCARD_SECRET, certificate=True),
    )


def vault_names(hosts: Iterable[Host]) -> tuple[str, ...]:
    """Return the names in the vault of all that may be kept for `hosts`."""
    return (ACCOUNT_KEY, *(_certificate(host) for host in hosts))


def kept_secrets(ingress: IngressSettings, hosts: Iterable[Host]) -> tuple[KeptSecret, ...]:
    """Return what is kept of the cluster whose ingress answers for `hosts`."""
    if not keeps(ingress):
        return ()
    account = KeptSecret(
        vault=ACCOUNT_KEY, namespace=NAMESPACE, name=f"{cluster_issuer(ingress)}-account", certificate=False
    )
    certificates = (
        KeptSecret(
            vault=_certificate(host),
            namespace=host.namespace,
            name=certificate_secret(ingress, host),
            certificate=True,
        )
        for host in hosts
    )
    return account, *certificates


def _certificate(host: Host) -> str:
    return f"{KEPT}certificate-{host.label}"
