"""Regions, zones, names, tags, domain."""

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from stacks.common.azure_names import AzureNames

from ..azure import AzureSettings
from ..azure_catalog import regions
from ..cluster import ClusterSettings
from ..data import BackupSettings, RegistrySettings
from ..database import DatabaseSettings
from ..file.errors import Key
from ..network import IngressSettings
from ..private_access import Exposure
from .base import Finding

LONGEST_NAMES = {"key_vault": 24, "storage_account": 24, "container_registry": 50, "resource": 63, "workspace": 90}
"""Characters that Azure and HCP Terraform take (resource name rules, Microsoft Learn)."""
STORAGE_PURPOSE = "fil"
LONGEST_STACK_NAME = "database"
OWN_TAGS = ("platform", "environment", "stack")
MOST_TAGS = 50
MOST_TAGS_OF_DNS_ZONES = 15
RESERVED_TAG_PREFIXES = ("microsoft", "azure", "windows")
RESERVED_STARTS = ("login", "xbox")
RESERVED_PARTS = ("microsoft", "windows")
"""Words that a resource's name must not begin with or contain: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name"""
AZURE_DOMAINS = (
    "cloudapp.azure.com",
    "azure.com",
    "azure.net",
    "azure-api.net",
    "azurecontainer.io",
    "azurecr.io",
    "azureedge.net",
    "azurefd.net",
    "azmk8s.io",
    "azurestaticapps.net",
    "azurewebsites.net",
    "microsoft.com",
    "trafficmanager.net",
    "windows.net",
)
NOT_IN_THE_INTERNET = ("internal", "local", "lan", "home", "corp", "private", "intranet", "onion", "arpa", "alt")
"""Last labels that no certificate authority of the internet signs: RFC 6761, 6762, 7686, 8375 and 9476, ICANN's
reservation of internal, and names that ICANN will not delegate since networks use them."""


def names_keep_the_limits(
    prefix: str, name: str, azure: AzureSettings, database: DatabaseSettings
) -> Iterator[Finding]:
    """Every name that is made of prefix and environment is short enough for Azure."""
    names = AzureNames(prefix=prefix, environment=name, subscription_id=azure.subscription_id)
    made = {
        "key_vault": names.key_vault,
        "storage_account": names.storage_account(STORAGE_PURPOSE),
        "container_registry": names.container_registry,
        "resource": names.postgresql_server(database.generation),
        "workspace": names.state_workspace(LONGEST_STACK_NAME),
    }
    excess, kind = max((len(made[kind]) - longest, kind) for kind, longest in LONGEST_NAMES.items())
    if excess > 0:
        yield Finding(
            ("prefix",),
            f"and the name {name!r} make {kind.replace('_', ' ')} names such as {made[kind]!r}, {excess}"
            f" characters longer than the {LONGEST_NAMES[kind]} that Azure takes; shorten one of the two",
        )


_DIGITS = "0123456789"
NO_REGION = (
    "is no Azure region; `az account list-locations --query [].name` lists them (one that Azure has opened since is"
    " added in stacks/settings/azure_catalog/regions.py)"
)


def names_hold_no_reserved_word(prefix: str, name: str) -> Iterator[Finding]:
    """Azure refuses names with words of its own."""
    made = f"{prefix}{name}"
    word = next((word for word in RESERVED_STARTS if made.startswith(word)), None)
    word = word or next((word for word in RESERVED_PARTS if word in made), None)
    if word:
        yield Finding(("prefix",), f"and the name {name!r} hold {word!r}, which Azure keeps for itself; rename one")


def regions_are_known(azure: AzureSettings, registry: RegistrySettings, backups: BackupSettings) -> Iterator[Finding]:
    """Every region that the file names exists."""
    named: list[tuple[Key, str]] = [(("azure", "region"), azure.region)]
    named += [(("registry", "geo_replicas", index), region) for index, region in enumerate(registry.geo_replicas)]
    if backups.copy_to_region:
        named.append((("backups", "copy_to_region"), backups.copy_to_region))
    for key, region in named:
        if region.startswith(regions.SOVEREIGN_PREFIXES):
            yield Finding(key, "belongs to a sovereign cloud, which is not supported; use a public region")
        elif not _may_exist(region):
            near = get_close_matches(region, regions.KNOWN, n=1, cutoff=0.7)
            yield Finding(key, f"is no Azure region; did you mean {near[0]}?" if near else NO_REGION)


def _may_exist(region: str) -> bool:
    """Whether a region is known, or differs from a known one by its number alone, as Azure names new ones."""
    stem = region.rstrip(_DIGITS)
    return region in regions.KNOWN or any(stem == known.rstrip(_DIGITS) for known in regions.KNOWN)


def zones_exist(azure: AzureSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """A region without zones has none listed, and nothing that needs them."""
    if azure.zones and azure.region in regions.WITHOUT_ZONES:
        yield Finding(("azure", "zones"), f"must be [] since {azure.region} has no availability zones")
    if azure.zones:
        for name, pool in cluster.gpu_pools.items():
            outside = sorted(set(pool.zones or ()) - set(azure.zones))
            if outside:
                yield Finding(
                    ("cluster", "gpu_pools", name, "zones"),
                    f"names zone {outside[0]}, which is not among azure.zones {list(azure.zones)}",
                )
        return
    for name, pool in cluster.gpu_pools.items():
        if pool.zones:
            yield Finding(("cluster", "gpu_pools", name, "zones"), "must be left out while azure.zones is empty")


def tags_are_accepted(private_endpoints: bool, exposure: Exposure, tags: Mapping[str, str]) -> Iterator[Finding]:
    """Azure takes a limited number of tags, compares their names without case, and keeps some for itself."""
    zones = private_endpoints or exposure is Exposure.PRIVATE
    limit = MOST_TAGS_OF_DNS_ZONES if zones else MOST_TAGS
    own = len(OWN_TAGS)
    if len(tags) > limit - own:
        why = ", as the private DNS zones take 15" if zones else ""
        yield Finding(("tags",), f"holds {len(tags)} tags; at most {limit - own} fit beside our {own}{why}")
    spellings = Counter(tag.lower() for tag in tags)
    for tag in tags:
        if tag.lower() in OWN_TAGS:
            yield Finding(("tags", tag), "is set by the platform itself; remove it")
        elif tag.lower().startswith(RESERVED_TAG_PREFIXES):
            yield Finding(("tags", tag), "begins with a word that Azure keeps for itself; rename it")
        elif spellings[tag.lower()] > 1:
            yield Finding(("tags", tag), "stands twice in different case, which Azure takes for the same tag")


def domain_is_your_own(domain: str, exposure: Exposure) -> Iterator[Finding]:
    """The host names are made below the domain, for which Let's Encrypt has to find the platform in the internet.

    A private zone has rules of its own.
    """
    if exposure is Exposure.PRIVATE:
        return
    last = domain.rpartition(".")[2]
    if last.isdigit():
        yield Finding(("domain",), "is an IP address; write a domain: every application gets a host name below it")
    elif last in NOT_IN_THE_INTERNET:
        yield Finding(
            ("domain",), f"ends in .{last}, for which no public authority issues certificates; write a public domain"
        )
    for owned in AZURE_DOMAINS:
        if domain == owned or domain.endswith(f".{owned}"):
            yield Finding(
                ("domain",),
                f"must be a domain of your own, since chat.{domain} cannot be made below {owned}",
            )
            return


def copies_of_backups_are_elsewhere(azure: AzureSettings, backups: BackupSettings) -> Iterator[Finding]:
    """A copy in the region of the original is lost with it."""
    if backups.copy_to_region == azure.region:
        yield Finding(
            ("backups", "copy_to_region"), "is the region of the environment itself; name another one, or remove it"
        )


def dns_zone_holds_the_domain(domain: str, azure: AzureSettings, ingress: IngressSettings) -> Iterator[Finding]:
    """Records can be written in a zone of the subscription that the domain is, or lies below."""
    if ingress.dns_zone_id is None:
        return
    parts = ingress.dns_zone_id.split("/")
    zone, subscription, key = parts[-1].lower(), parts[2].lower(), ("ingress", "dns_zone_id")
    if domain != zone and not domain.endswith(f".{zone}"):
        yield Finding(key, f"is the zone {zone}, in which {domain} does not lie; name that of the domain, or remove it")
    if subscription != azure.subscription_id:
        yield Finding(key, "lies in another subscription than azure.subscription_id; remove it, and make them there")


def mail_is_of_the_internet(ingress: IngressSettings) -> Iterator[Finding]:
    """Let's Encrypt refuses a contact address whose domain nobody can have (invalidContact)."""
    last = (ingress.acme_email or "").rpartition(".")[2].lower()
    if last in NOT_IN_THE_INTERNET:
        yield Finding(
            ("ingress", "acme_email"), f"ends in .{last}, and Let's Encrypt refuses it; write a public address"
        )


RULES = (
    names_keep_the_limits,
    names_hold_no_reserved_word,
    regions_are_known,
    zones_exist,
    tags_are_accepted,
    domain_is_your_own,
    copies_of_backups_are_elsewhere,
    mail_is_of_the_internet,
    dns_zone_holds_the_domain,
)
