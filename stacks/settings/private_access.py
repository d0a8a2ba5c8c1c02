"""Private access: the platform inside a network, with names and certificates of its own and nothing on the internet."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .types import Address, DnsName, Guid, Model, Unique, VaultSecretName, resource_id, text

DEFAULT_ZONE = "llm.internal"
"""`domain` in a private environment that names none; ICANN keeps `internal` for private use."""
FIRST_USABLE = 4
"""Position of the first address of a subnet that Azure does not keep for itself."""


class Exposure(StrEnum):
    """Where the platform can be reached from."""

    PUBLIC = "public"
    PRIVATE = "private"


class CertificateSource(StrEnum):
    """Where the certificate of a private environment comes from."""

    INTERNAL_CA = "internal-ca"
    LETS_ENCRYPT_DNS = "letsencrypt-dns"
    VAULT = "vault"


class Nameserver(StrEnum):
    """Who answers for the zone outside the virtual network."""

    RESOLVER = "resolver"
    COREDNS = "coredns"
    NONE = "none"


class TailscaleCredentials(StrEnum):
    """How the Tailscale operator proves itself to the tailnet."""

    VAULT = "vault"
    WORKLOAD_IDENTITY = "workload-identity"


ClientId = Annotated[str, text(r"^[A-Za-z0-9/_-]{4,128}$", "the id of a Tailscale OAuth client or federated identity")]
Tag = Annotated[
    str, text(r"^tag:[a-z][a-z0-9-]{0,49}$", "a Tailscale tag such as tag:llm-platform: lower case, digits, dashes")
]


class TailscaleSettings(Model):
    """The Tailscale operator and its subnet router, which lets a tailnet reach exactly the platform's addresses."""

    credentials: TailscaleCredentials = TailscaleCredentials.VAULT
    """`vault`: an OAuth client, whose id and secret a person writes into the vault as `tailscale-client-id` and
    `tailscale-client-secret`. `workload-identity`: no secret; the tailnet trusts the cluster's own tokens."""
    client_id: ClientId | None = None
    """Client id of the federated identity in the tailnet, with `workload-identity`."""
    tailnet: Annotated[
        str, text(r"^(-|[A-Za-z0-9]([A-Za-z0-9.@_-]{0,120}[A-Za-z0-9])?)$", "a tailnet's name or id, or -")
    ] = "-"
    """Tailnet whose split DNS `llmctl tailscale dns` sets; `-` is the one that its credentials belong to."""
    operator_tag: Tag = "tag:k8s-operator"
    """Tag of the operator, which has to own `router_tags` in the tailnet's policy."""
    router_tags: Annotated[tuple[Tag, ...], Unique, Field(min_length=1)] = ("tag:llm-platform",)
    """Tags of the subnet router, by which the tailnet's policy approves its routes."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 2
    """Pods of the subnet router; the tailnet uses one and takes another when it fails."""


class PrivateAccessSettings(Model):
    """Addresses, zone and certificates of an environment with `exposure: private`."""

    ingress_address: Address | None = None
    """Private address of the ingress, in `network.ingress_subnet`; left out, the subnet's first usable one. It is a
    part of the file, not of the cluster, so that a new cluster answers at the same."""
    nameserver: Nameserver = Nameserver.RESOLVER
    """Who answers for the zone where a client's own network asks: `resolver`, an inbound endpoint of Azure's DNS
    Private Resolver; `coredns`, in the cluster, without the resolver's price; `none` where a resolver is there
    already."""
    nameserver_address: Address | None = None
    """Private address of that nameserver, in `network.resolver_subnet` or, for `coredns`, in `network.ingress_subnet`;
    left out, the first that is free. With `none`, the address of a resolver of your own."""
    zone_id: Annotated[str, resource_id("Microsoft.Network/privateDnsZones", "a private DNS zone")] | None = None
    """Resource id of a private DNS zone that exists and has the name of `domain`; left out, one is made."""
    link_zone: bool = True
    """Link the zone to the virtual network; `false` where the zone of `zone_id` is linked already."""
    linked_network_ids: Annotated[
        tuple[Annotated[str, resource_id("Microsoft.Network/virtualNetworks", "a virtual network")], ...], Unique
    ] = ()
    """Further virtual networks that see the zone, such as the one of your own resolver."""
    certificates: CertificateSource = CertificateSource.INTERNAL_CA
    """`internal-ca`: a CA of the platform's own, which clients install. `letsencrypt-dns`: Let's Encrypt, which proves
    `domain` by records in the public zone of `public_zone_id`. `vault`: a certificate of your own from the vault."""
    public_zone_id: Annotated[str, resource_id("Microsoft.Network/dnsZones", "a public DNS zone")] | None = None
    """Public Azure DNS zone that holds `domain`, for `letsencrypt-dns`."""
    certificate_name: VaultSecretName | None = None
    """Certificate in the environment's vault for `*.<domain>` and `<domain>`, for `vault`."""
    root_years: Annotated[int, Field(ge=2, le=30)] = 10
    """Life of the internal CA's root. Its key stays the same when it is renewed."""
    leaf_days: Annotated[int, Field(ge=7, le=397)] = 90
    """Life of the certificate that the internal CA issues; it is renewed at two thirds."""
    tailscale: TailscaleSettings | None = None
    """Let a tailnet in; left out, clients come by VPN, ExpressRoute or peering."""


def subscription_of(resource: str) -> Guid:
    """Return the subscription in a resource id, in lower case."""
    return resource.split("/")[2].lower()


def group_of(resource: str) -> str:
    """Return the resource group in a resource id."""
    return resource.split("/")[4]


def name_of(resource: str) -> str:
    """Return the last part of a resource id: the resource's name."""
    return resource.rsplit("/", 1)[1]


def is_below(name: DnsName, zone: str) -> bool:
    """Whether a DNS name is the zone's or lies below it."""
    return name == zone or name.endswith(f".{zone}")


def with_private_defaults(data: Mapping[str, object]) -> dict[str, object]:
    """Return a file's data with what a private environment may leave out and a public one may not."""
    private = {"domain": DEFAULT_ZONE, "ingress": {}} if data.get("exposure") == Exposure.PRIVATE.value else {}
    return {**private, **data}
