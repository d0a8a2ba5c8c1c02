"""Private access: what does not fit to a platform without a public address, addresses, zones and certificates."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from ..azure import AzureSettings
from ..file.errors import Key
from ..network import IngressMode, IngressSettings, NetworkSettings
from ..private_access import (
    FIRST_USABLE,
    CertificateSource,
    Exposure,
    Nameserver,
    PrivateAccessSettings,
    TailscaleCredentials,
    is_below,
    name_of,
    subscription_of,
)
from .azure import AZURE_DOMAINS, NOT_IN_THE_INTERNET
from .base import Finding

TAKEN_ZONES = {
    "cluster.local": "the cluster's own names",
    "local": "names of multicast DNS (RFC 6762)",
    "localhost": "names of the machine itself (RFC 6761)",
    "arpa": "reverse names",
    "onion": "names of Tor (RFC 7686)",
    "ts.net": "Tailscale's own names",
    "internal.cloudapp.net": "Azure's names of machines",
}
"""Zones that somebody else answers for, inside the network or on every client."""
RESOLVER_PREFIXES = range(24, 29)
"""https://learn.microsoft.com/azure/dns/dns-private-resolver-overview#subnet-restrictions"""


def nothing_public_in_private_mode(exposure: Exposure, ingress: IngressSettings) -> Iterator[Finding]:
    """Settings of a public ingress have no place beside a private one."""
    if exposure is not Exposure.PRIVATE:
        return
    if ingress.mode is not IngressMode.NGINX:
        yield Finding(
            ("ingress", "mode"),
            "has a public address, which exposure: private excludes; write nginx, or exposure: public",
        )
    if ingress.dns_label:
        yield Finding(
            ("ingress", "dns_label"), "names a public address, which exposure: private has none of; remove it"
        )
    if ingress.dns_zone_id:
        yield Finding(
            ("ingress", "dns_zone_id"),
            "holds records of a public address, which exposure: private has none of; remove it",
        )


def private_ranges_reach_a_private_ingress(exposure: Exposure, ingress: IngressSettings) -> Iterator[Finding]:
    """No packet with a public source address reaches a private ingress."""
    if exposure is not Exposure.PRIVATE:
        return
    for index, range_ in enumerate(ingress.allowed_source_ranges):
        if not range_.is_private and not range_.subnet_of(IPv4Network("100.64.0.0/10")):
            yield Finding(
                ("ingress", "allowed_source_ranges", index),
                "is a public range, from which nobody reaches a private ingress; write the private range of the"
                " clients' network, or exposure: public",
            )


def lets_encrypt_has_a_contact(
    exposure: Exposure, private_access: PrivateAccessSettings, ingress: IngressSettings
) -> Iterator[Finding]:
    """Let's Encrypt has a contact address wherever it issues, and none of its settings stands elsewhere."""
    issues = exposure is Exposure.PUBLIC or private_access.certificates is CertificateSource.LETS_ENCRYPT_DNS
    if issues and ingress.acme_email is None:
        yield Finding(("ingress", "acme_email"), "is required: Contact address of the Let's Encrypt account.")
    if not issues and ingress.acme_issuer != "production":
        yield Finding(
            ("ingress", "acme_issuer"),
            f"has no use with private_access.certificates: {private_access.certificates.value}; remove it",
        )


def addresses_lie_in_their_subnets(
    exposure: Exposure, network: NetworkSettings, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """The fixed addresses are usable ones of the subnets that are kept for them."""
    if exposure is not Exposure.PRIVATE:
        return
    access = private_access
    if access.ingress_address:
        yield from _in_subnet("ingress_address", access.ingress_address, "ingress_subnet", network.ingress_subnet)
    if access.nameserver is Nameserver.RESOLVER and network.resolver_subnet.prefixlen not in RESOLVER_PREFIXES:
        yield Finding(
            ("network", "resolver_subnet"), "must be between /24 and /28, as Azure's DNS Private Resolver asks"
        )
    if network.ingress_subnet.prefixlen > 29:
        yield Finding(
            ("network", "ingress_subnet"), "must be /29 or larger: Azure keeps five addresses of every subnet"
        )
        return
    if not access.nameserver_address:
        return
    if access.nameserver is Nameserver.RESOLVER:
        yield from _in_subnet(
            "nameserver_address", access.nameserver_address, "resolver_subnet", network.resolver_subnet
        )
    if access.nameserver is Nameserver.COREDNS:
        yield from _in_subnet("nameserver_address", access.nameserver_address, "ingress_subnet", network.ingress_subnet)
    if access.nameserver_address == (access.ingress_address or network.ingress_subnet[FIRST_USABLE]):
        yield Finding(("private_access", "nameserver_address"), "is the address of the ingress; choose another one")


def _in_subnet(name: str, address: IPv4Address, subnet_name: str, subnet: IPv4Network) -> Iterator[Finding]:
    key: Key = ("private_access", name)
    first, last = subnet[min(FIRST_USABLE, subnet.num_addresses - 1)], subnet[-2 if subnet.num_addresses > 1 else 0]
    if address not in subnet:
        yield Finding(key, f"must lie in network.{subnet_name} ({subnet}); choose one from {first} to {last}")
    elif not first <= address <= last:
        yield Finding(key, f"is one that Azure keeps for itself in {subnet}; choose one from {first} to {last}")


def zone_can_be_had(
    exposure: Exposure, domain: str, azure: AzureSettings, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """The private zone hides nobody else's names, and a zone that is named is this one."""
    if exposure is not Exposure.PRIVATE:
        return
    for taken, owner in TAKEN_ZONES.items():
        if is_below(domain, taken):
            yield Finding(("domain",), f"is among {owner}; choose another zone, such as llm.internal")
            return
    if domain.startswith("privatelink."):
        yield Finding(("domain",), "is a zone of Azure's private endpoints; choose another one, such as llm.internal")
    for owned in AZURE_DOMAINS:
        if is_below(domain, owned) or is_below(owned, domain):
            yield Finding(
                ("domain",),
                f"would hide names of {owned} from the whole network; choose another zone, such as llm.internal",
            )
            return
    access = private_access
    if access.zone_id and name_of(access.zone_id) != domain:
        yield Finding(
            ("private_access", "zone_id"),
            f"is the zone {name_of(access.zone_id)}, but domain is {domain}; make them equal",
        )
    if access.zone_id and subscription_of(access.zone_id) != azure.subscription_id:
        yield Finding(("private_access", "zone_id"), _OTHER_SUBSCRIPTION)
    if not access.link_zone and not access.zone_id:
        yield Finding(
            ("private_access", "link_zone"),
            "leaves a new zone that the network does not see; remove it, or name a linked one in zone_id",
        )


_OTHER_SUBSCRIPTION = "is of another subscription than azure.subscription_id, in which Terraform works; name one of it"


def certificates_have_what_they_need(
    exposure: Exposure, domain: str, azure: AzureSettings, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """Each source of certificates has its own setting, and only that one."""
    if exposure is not Exposure.PRIVATE:
        return
    access, source = private_access, private_access.certificates
    public = source is CertificateSource.LETS_ENCRYPT_DNS
    if public and not access.public_zone_id:
        yield Finding(
            ("private_access", "public_zone_id"),
            "is required by certificates: letsencrypt-dns; write the id of the public Azure DNS zone above the domain",
        )
    if public and domain.rpartition(".")[2] in NOT_IN_THE_INTERNET:
        yield Finding(
            ("domain",),
            f"ends in .{domain.rpartition('.')[2]}, for which no public authority issues certificates; write a name of"
            " a public zone, or private_access.certificates: internal-ca",
        )
    if access.public_zone_id:
        if not public:
            yield Finding(
                ("private_access", "public_zone_id"), "has no use but with certificates: letsencrypt-dns; remove it"
            )
        elif not is_below(domain, name_of(access.public_zone_id)):
            yield Finding(
                ("private_access", "public_zone_id"),
                f"is the zone {name_of(access.public_zone_id)}, which does not hold {domain}; name the one that does",
            )
        elif subscription_of(access.public_zone_id) != azure.subscription_id:
            yield Finding(("private_access", "public_zone_id"), _OTHER_SUBSCRIPTION)
    given = source is CertificateSource.VAULT
    if given and not access.certificate_name:
        yield Finding(
            ("private_access", "certificate_name"),
            "is required by certificates: vault; write the name of the certificate in the environment's vault",
        )
    if access.certificate_name and not given:
        yield Finding(("private_access", "certificate_name"), "has no use but with certificates: vault; remove it")


def tailscale_has_what_it_needs(exposure: Exposure, private_access: PrivateAccessSettings) -> Iterator[Finding]:
    """The operator can log in, and the tailnet gets a nameserver."""
    tailscale = private_access.tailscale
    if exposure is not Exposure.PRIVATE or tailscale is None:
        return
    key: Key = ("private_access", "tailscale", "client_id")
    if tailscale.credentials is TailscaleCredentials.WORKLOAD_IDENTITY and not tailscale.client_id:
        yield Finding(
            key,
            "is required by credentials: workload-identity; write the client id of the tailnet's federated identity",
        )
    if tailscale.credentials is TailscaleCredentials.VAULT and tailscale.client_id:
        yield Finding(key, "has no use with credentials: vault, where it is a secret of the vault; remove it")
    if private_access.nameserver is Nameserver.NONE and not private_access.nameserver_address:
        yield Finding(
            ("private_access", "nameserver_address"),
            "is required by tailscale with nameserver: none; write the address of the resolver that knows the zone",
        )


def existing_network_is_of_this_subscription(azure: AzureSettings, network: NetworkSettings) -> Iterator[Finding]:
    """Subnets are made where Terraform works."""
    existing = network.existing_network_id
    if existing and subscription_of(existing) != azure.subscription_id:
        yield Finding(("network", "existing_network_id"), _OTHER_SUBSCRIPTION)


RULES = (
    nothing_public_in_private_mode,
    private_ranges_reach_a_private_ingress,
    lets_encrypt_has_a_contact,
    addresses_lie_in_their_subnets,
    zone_can_be_had,
    certificates_have_what_they_need,
    tailscale_has_what_it_needs,
    existing_network_is_of_this_subscription,
)
