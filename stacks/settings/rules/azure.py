"""Region, zones, names, tags, domain."""

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from stacks.common.azure_names import AzureNames

from .. import regions
from ..azure import AzureSettings
from ..cluster import ClusterSettings
from ..data import DatabaseSettings
from .base import Finding

LONGEST_NAMES = {"key_vault": 24, "storage_account": 24, "container_registry": 50, "resource": 63, "workspace": 90}
"""Characters that Azure and HCP Terraform take (resource name rules, Microsoft Learn)."""
STORAGE_PURPOSE = "fil"
LONGEST_STACK_NAME = "database"
OWN_TAGS = ("platform", "environment", "stack")
MOST_TAGS = 50
MOST_TAGS_OF_DNS_ZONES = 15
RESERVED_TAG_PREFIXES = ("microsoft", "azure", "windows")
AZURE_DOMAINS = ("cloudapp.azure.com", "azurewebsites.net", "windows.net", "azure.com", "microsoft.com")


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


def region_is_known(azure: AzureSettings) -> Iterator[Finding]:
    """The region exists, as far as a misspelling can be distinguished from a new region."""
    region = azure.region
    if region.startswith(regions.SOVEREIGN_PREFIXES):
        yield Finding(("azure", "region"), "belongs to a sovereign cloud, which is not supported; use a public region")
    elif region not in regions.KNOWN:
        # A new region differs from a known one by a number or by more than a slip of the finger.
        near = get_close_matches(region, regions.KNOWN, n=1, cutoff=0.85)
        if near and near[0].rstrip("0123456789") != region.rstrip("0123456789"):
            yield Finding(("azure", "region"), f"is no Azure region; did you mean {near[0]}?")


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


def tags_are_accepted(private_endpoints: bool, tags: Mapping[str, str]) -> Iterator[Finding]:
    """Azure takes a limited number of tags, compares their names without case, and keeps some for itself."""
    limit = MOST_TAGS_OF_DNS_ZONES if private_endpoints else MOST_TAGS
    own = len(OWN_TAGS)
    if len(tags) > limit - own:
        why = ", as the private DNS zones take 15" if private_endpoints else ""
        yield Finding(("tags",), f"holds {len(tags)} tags; at most {limit - own} fit beside our {own}{why}")
    spellings = Counter(tag.lower() for tag in tags)
    for tag in tags:
        if tag.lower() in OWN_TAGS:
            yield Finding(("tags", tag), "is set by the platform itself; remove it")
        elif tag.lower().startswith(RESERVED_TAG_PREFIXES):
            yield Finding(("tags", tag), "begins with a word that Azure keeps for itself; rename it")
        elif spellings[tag.lower()] > 1:
            yield Finding(("tags", tag), "stands twice in different case, which Azure takes for the same tag")


def domain_is_your_own(domain: str) -> Iterator[Finding]:
    """The host names are made below the domain, which nobody can do below Azure's own."""
    for owned in AZURE_DOMAINS:
        if domain == owned or domain.endswith(f".{owned}"):
            yield Finding(
                ("domain",),
                f"must be a domain of your own, since chat.{domain} cannot be made below {owned}",
            )
            return


RULES = (names_keep_the_limits, region_is_known, zones_exist, tags_are_accepted, domain_is_your_own)
