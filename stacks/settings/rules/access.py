"""Who reaches what: public ranges, private endpoints, log-in."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from ..azure import ClusterAccess, OperatorSettings, StateSettings
from ..chat import ChatSettings
from ..cluster import ApiAccess, ClusterSettings
from ..data import BackupSettings, RegistrySettings, VaultSettings
from ..file.errors import Key
from ..identity import IdentitySettings
from ..llm_gateway import GatewayServiceSettings
from ..network import IngressSettings, NetworkSettings, Outbound
from ..private_access import Exposure, PrivateAccessSettings
from .base import Finding

NOT_PUBLIC = (
    *map(
        IPv4Network,
        ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    ),
    *map(IPv4Network, ("192.168.0.0/16", "224.0.0.0/3")),
)
"""Ranges that no packet from the internet comes from."""
MOST_AUTHORIZED_RANGES = 200
"""Ranges that AKS takes (Microsoft Learn, API server authorized IP ranges)."""
MOST_SOURCE_RANGES = 4000
"""Addresses and ranges that a network security group takes (Microsoft Learn, Azure networking limits)."""
MOST_RANGES_OF_AN_ACCOUNT = 400
"""Rules by address that a storage account takes (Microsoft Learn, Azure Storage firewall and virtual networks)."""
MOST_RANGES_OF_A_VAULT = 1000
"""Rules by address that a vault takes (Microsoft Learn, Azure Key Vault service limits)."""


def public_ranges_are_public(
    operators: OperatorSettings,
    vault: VaultSettings,
    cluster: ClusterSettings,
    state: StateSettings,
) -> Iterator[Finding]:
    """Ranges that open something to the internet hold addresses of the internet, and not all of them."""
    lists: list[tuple[Key, tuple[IPv4Network, ...]]] = [
        (("operators", "ip_ranges"), operators.ip_ranges),
        (("vault", "extra_allowed_ranges"), vault.extra_allowed_ranges),
        (("cluster", "api_authorized_ranges"), cluster.api_authorized_ranges),
    ]
    if state.azurerm:
        lists.append((("state", "azurerm", "ip_ranges"), state.azurerm.ip_ranges))
    for key, ranges in lists:
        yield from _public(key, ranges)


def callers_of_a_public_ingress_are_public(ingress: IngressSettings, exposure: Exposure) -> Iterator[Finding]:
    """Ranges that reach a public ingress hold addresses of the internet, and a security group takes them all."""
    given = len(ingress.allowed_source_ranges)
    if given > MOST_SOURCE_RANGES:
        yield Finding(
            ("ingress", "allowed_source_ranges"),
            f"holds {given} ranges, but a network security group takes {MOST_SOURCE_RANGES}; merge neighbours",
        )
    if exposure is Exposure.PUBLIC:
        yield from _public(("ingress", "allowed_source_ranges"), ingress.allowed_source_ranges)


def _public(key: Key, ranges: tuple[IPv4Network, ...]) -> Iterator[Finding]:
    for index, network in enumerate(ranges):
        if network.prefixlen == 0:
            yield Finding((*key, index), "is the whole internet; name the ranges, or leave the list empty")
        elif any(network.overlaps(private) for private in NOT_PUBLIC):
            yield Finding((*key, index), "must be a public range: traffic from the internet never comes from it")


def firewalls_take_the_ranges(
    operators: OperatorSettings, vault: VaultSettings, backups: BackupSettings, state: StateSettings
) -> Iterator[Finding]:
    """A vault and a storage account take a limited number of ranges."""
    if len({*vault.extra_allowed_ranges, *operators.ip_ranges}) > MOST_RANGES_OF_A_VAULT:
        yield Finding(
            ("vault", "extra_allowed_ranges"),
            f"and operators.ip_ranges may hold {MOST_RANGES_OF_A_VAULT} ranges together; merge neighbours",
        )
    accounts: list[tuple[Key, tuple[IPv4Network, ...]]] = []
    if backups.public_access:
        accounts.append((("operators", "ip_ranges"), operators.ip_ranges))
    if state.azurerm:
        accounts.append((("state", "azurerm", "ip_ranges"), state.azurerm.ip_ranges))
    for key, ranges in accounts:
        if len(ranges) > MOST_RANGES_OF_AN_ACCOUNT:
            yield Finding(
                key,
                f"holds {len(ranges)} ranges, but a storage account takes {MOST_RANGES_OF_AN_ACCOUNT}; merge"
                " neighbours",
            )


def authorized_ranges_suit_the_api(
    cluster: ClusterSettings, network: NetworkSettings, operators: OperatorSettings
) -> Iterator[Finding]:
    """A private API has no authorized ranges; a public one takes a limited number."""
    key: Key = ("cluster", "api_authorized_ranges")
    if cluster.api_access is ApiAccess.PRIVATE:
        if cluster.api_authorized_ranges:
            yield Finding(key, "has no use with cluster.api_access: private, and Azure refuses both; remove it")
        return
    # A NAT gateway's address is one of them: the cluster calls its own API through it.
    most = MOST_AUTHORIZED_RANGES - (network.outbound is Outbound.NAT_GATEWAY)
    if len({*cluster.api_authorized_ranges, *operators.ip_ranges}) > most:
        yield Finding(key, f"and operators.ip_ranges may hold {most} ranges together; merge some")


def ways_to_the_api_exist(
    operators: OperatorSettings, exposure: Exposure, private_access: PrivateAccessSettings
) -> Iterator[Finding]:
    """A way to the Kubernetes API over something else names it, or the environment has it."""
    if operators.cluster_access is ClusterAccess.JUMP_HOST and not operators.jump_host:
        yield Finding(
            ("operators", "jump_host"), "is required by cluster_access: jump-host; write the host as ssh names it"
        )
    tailscale = exposure is Exposure.PRIVATE and private_access.tailscale is not None
    if operators.cluster_access is ClusterAccess.TAILSCALE and not tailscale:
        yield Finding(
            ("operators", "cluster_access"),
            "needs Tailscale's operator in the cluster; write exposure: private and private_access.tailscale, or"
            " choose another way",
        )


NO_WAY_IN = "leaves no way in without private endpoints; set private_endpoints: true"


def closed_manifests_have_a_private_endpoint(private_endpoints: bool, backups: BackupSettings) -> Iterator[Finding]:
    """Manifests of backup sets that are closed to the internet are reached by a private endpoint."""
    if not private_endpoints and not backups.public_access:
        yield Finding(("backups", "public_access"), NO_WAY_IN)


def closed_services_have_private_endpoints(
    private_endpoints: bool,
    registry: RegistrySettings,
    vault: VaultSettings,
    chat: ChatSettings,
    gateway: GatewayServiceSettings,
) -> Iterator[Finding]:
    """What is closed to the internet is reached by private endpoints."""
    if private_endpoints:
        return
    fix = NO_WAY_IN
    if not registry.public_access:
        yield Finding(("registry", "public_access"), fix)
    if not vault.public_access:
        yield Finding(("vault", "public_access"), fix)
    if chat.enabled or gateway.enabled:
        yield Finding(
            ("private_endpoints",),
            "must be true while chat or gateway is enabled: the database they use has no public address",
        )


def closed_vault_needs_a_run_inside(vault: VaultSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """Terraform writes secrets to the vault from where it runs."""
    if not vault.public_access and cluster.api_access is ApiAccess.PUBLIC:
        yield Finding(
            ("vault", "public_access"),
            "makes Terraform write the secrets from inside the network; then set cluster.api_access: private as well,"
            " or name the ranges it runs from in operators.ip_ranges and set this to true",
        )


def given_ranges_open_the_vault(vault: VaultSettings) -> Iterator[Finding]:
    """Ranges are listed for a vault that can be reached at all."""
    if not vault.public_access and vault.extra_allowed_ranges:
        yield Finding(("vault", "extra_allowed_ranges"), "has no use with vault.public_access: false; remove it")


def owners_belong_to_a_created_group(identity: IdentitySettings) -> Iterator[Finding]:
    """Owners are only given to a group that the deployment makes."""
    if identity.access_group_owner_ids and (identity.access_group_object_id or not identity.manage):
        yield Finding(
            ("identity", "access_group_owner_ids"),
            "has no use with identity.access_group_object_id: that group keeps its owners; remove it",
        )


def identity_is_created_or_given(identity: IdentitySettings) -> Iterator[Finding]:
    """Without directory rights all three ids stand in the file; with them the application's ids do not."""
    if identity.manage:
        for name in ("client_id", "application_object_id"):
            if getattr(identity, name):
                yield Finding(
                    ("identity", name), "has no use with identity.manage: true, which creates one; remove either"
                )
        return
    for name in ("client_id", "application_object_id", "access_group_object_id"):
        if not getattr(identity, name):
            yield Finding(("identity", name), "is required with identity.manage: false; write the id from Entra")


RULES = (
    public_ranges_are_public,
    callers_of_a_public_ingress_are_public,
    firewalls_take_the_ranges,
    authorized_ranges_suit_the_api,
    ways_to_the_api_exist,
    closed_manifests_have_a_private_endpoint,
    closed_services_have_private_endpoints,
    closed_vault_needs_a_run_inside,
    given_ranges_open_the_vault,
    identity_is_created_or_given,
    owners_belong_to_a_created_group,
)
