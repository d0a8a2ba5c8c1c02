"""How pods and nodes get out of the network, and whose certificates they believe beside the public authorities'."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import AddressValueError, IPv4Address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from .cluster import ClusterSettings
from .types import Cidr, Model, Unique, text

MOST_ROOTS = 10
"""https://learn.microsoft.com/azure/aks/custom-certificate-authority: certificates in the trust store of a node."""

SOON = timedelta(days=90)
"""How long before its end a root should be followed by another: every node is replaced for it."""
END = "-----END CERTIFICATE-----"

POLICIES_SINCE = 36
"""Minor version of Kubernetes in which mutating admission policies are stable:
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/3962-mutating-admission-policies"""

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def _without_password(value: object) -> object:
    if isinstance(value, str) and "@" in value:
        raise PydanticCustomError(
            "proxy_password",
            "must not hold a user or a password, which AKS passes to no proxy; let the proxy know the cluster by its"
            " addresses",
        )
    return value


ProxyUrl = Annotated[
    str,
    text(
        rf"^http://{_HOST}:[1-9]\d{{0,4}}$",
        "http://HOST:PORT in lower case, as the connection to the proxy itself is HTTP",
    ),
    BeforeValidator(_without_password),
]
Bypassed = Annotated[
    str,
    text(
        rf"^{_HOST}(/\d{{1,2}})?$",
        "a domain, which stands for everything below it and has neither a dot before nor an asterisk, an IPv4 address"
        " or an IPv4 range",
    ),
]


def _certificates(value: str) -> str:
    """Return the certificates in `value`, each in PEM's plain form, or say what is wrong with one."""
    # Only environments that name roots need the library, which takes as long to import as all settings together.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    if "PRIVATE KEY" in value:
        raise PydanticCustomError(
            "root_key",
            "holds a private key, which belongs to its authority alone; give the certificate, and replace a"
            " key that was written here",
        )
    try:
        found = x509.load_pem_x509_certificates(value.encode())
    except ValueError:
        raise PydanticCustomError(
            "root_pem", "is no certificate as text (PEM), from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from None
    for certificate in found:
        name = certificate.subject.rfc4514_string()
        try:
            authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except (x509.ExtensionNotFound, ValueError):
            authority = False
        if not authority:
            raise PydanticCustomError(
                "root_leaf",
                "the certificate of {name} may not sign others (CA:TRUE is missing); give the root that signed it",
                {"name": name},
            )
        if certificate.issuer != certificate.subject:
            issuer = {"name": name, "issuer": certificate.issuer.rfc4514_string()}
            raise PydanticCustomError(
                "root_intermediate",
                "the certificate of {name} is signed by {issuer}; give that root, which programs ask for",
                issuer,
            )
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in found)


Roots = Annotated[str, Field(max_length=100_000), AfterValidator(_certificates)]


class EgressProxySettings(Model):
    """An HTTP proxy through which nodes and pods reach the internet."""

    url: ProxyUrl
    """Address of the proxy: `http://HOST:PORT`. HTTPS goes through it by CONNECT. AKS passes neither user nor password
    to a proxy, so it has to know the cluster by its addresses."""
    ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Addresses behind the proxy's name, which network policies let pods reach; needed where `url` has a name."""
    no_proxy: Annotated[tuple[Bypassed, ...], Unique] = ()
    """Domains, addresses and ranges that are reached directly. The cluster's own names and ranges, the virtual network,
    `domain` and what has a private endpoint are among them already. Pods reach a domain outside the virtual network
    only where its range is listed too."""

    @property
    def host(self) -> str:
        """Name or address of the proxy."""
        return self.url.removeprefix("http://").rpartition(":")[0]

    @property
    def port(self) -> int:
        """Port of the proxy."""
        return int(self.url.rpartition(":")[2])

    @property
    def address(self) -> IPv4Address | None:
        """Address of the proxy; None where `url` has a name."""
        try:
            return IPv4Address(self.host)
        except AddressValueError:
            return None

    @property
    def reached(self) -> tuple[str, ...]:
        """Ranges in which the proxy answers."""
        return (f"{self.address}/32",) if self.address else tuple(map(str, self.ranges))

    @property
    def direct(self) -> tuple[str, ...]:
        """Ranges among `no_proxy`."""
        return tuple(entry if "/" in entry else f"{entry}/32" for entry in self.no_proxy if is_range(entry))


class TrustSettings(Model):
    """Whose certificates nodes and pods believe beside the public authorities'."""

    company_roots: Annotated[tuple[Roots, ...], Unique, Field(max_length=MOST_ROOTS)] = ()
    """Root certificates of the company as text (PEM), such as that of a proxy that opens connections, or of internal
    services. They reach the trust store of every node and of every pod that may reach the internet."""


def expiries(roots: Iterable[str]) -> dict[str, datetime]:
    """Return until when each certificate holds, by its subject."""
    from cryptography import x509  # noqa: PLC0415 - as above

    found = (x509.load_pem_x509_certificate(one.encode()) for one in one_each(roots))
    return {certificate.subject.rfc4514_string(): certificate.not_valid_after_utc for certificate in found}


def expiry_notes(roots: Iterable[str], now: datetime) -> list[str]:
    """Return a sentence for each certificate that nobody believes any more, or will not soon."""
    return [
        f"trust.company_roots: {name} {'has expired' if end <= now else 'expires'} on {end:%Y-%m-%d}"
        for name, end in expiries(roots).items()
        if end <= now + SOON
    ]


def one_each(roots: Iterable[str]) -> list[str]:
    """Return the certificates of texts that may hold several, one by one."""
    return [f"{part}{END}\n" for text_ in roots for part in text_.split(f"{END}\n")[:-1]]


def pods_are_given(cluster: ClusterSettings) -> bool:
    """Whether the cluster's version serves the policies by which pods are given variables and roots."""
    return int(cluster.kubernetes_version.split(".")[1]) >= POLICIES_SINCE


def is_range(entry: str) -> bool:
    """Whether an entry of `no_proxy` is an address or a range; its range may be malformed."""
    return entry.partition("/")[0].replace(".", "").isdigit()
