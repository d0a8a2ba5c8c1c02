"""Disks and registry."""

from collections.abc import Iterator

from ..azure import AzureSettings
from ..data import DiskSettings, RegistrySettings
from .base import Finding


def disks_attach_where_they_are_needed(disks: DiskSettings, azure: AzureSettings) -> Iterator[Finding]:
    """Zone-redundant disks need zones; locally redundant ones are bound to one of them."""
    zones = azure.zones
    if disks.redundancy == "zrs":
        if not zones:
            yield Finding(("disks", "redundancy"), "needs a region with zones; write lrs while azure.zones is empty")
        if disks.lrs_zone is not None:
            yield Finding(("disks", "lrs_zone"), "applies to redundancy lrs only; remove it")
    elif zones and disks.lrs_zone is None:
        yield Finding(("disks", "lrs_zone"), f"is required with redundancy lrs; name one of azure.zones {list(zones)}")
    elif disks.lrs_zone is not None and disks.lrs_zone not in zones:
        fix = f"must be one of azure.zones {list(zones)}" if zones else "must be left out while azure.zones is empty"
        yield Finding(("disks", "lrs_zone"), fix)


def registry_tier_carries_the_features(registry: RegistrySettings) -> Iterator[Finding]:
    """Basic registries have no private endpoint, retention, quarantine or copies."""
    if registry.tier == "Premium":
        return
    premium = "needs registry.tier: Premium"
    if not registry.public_access:
        yield Finding(("registry", "public_access"), premium)
    if registry.quarantine:
        yield Finding(("registry", "quarantine"), premium)
    if registry.geo_replicas:
        yield Finding(("registry", "geo_replicas"), premium)
    if "untagged_retention_days" in registry.model_fields_set:
        yield Finding(("registry", "untagged_retention_days"), f"{premium}; remove it")


def registry_replicas_are_elsewhere(registry: RegistrySettings, azure: AzureSettings) -> Iterator[Finding]:
    """The home region holds the registry itself, so that Azure refuses a copy there."""
    for index, region in enumerate(registry.geo_replicas):
        if region == azure.region:
            yield Finding(("registry", "geo_replicas", index), "is the registry's home region; remove it")


RULES = (
    disks_attach_where_they_are_needed,
    registry_tier_carries_the_features,
    registry_replicas_are_elsewhere,
)
