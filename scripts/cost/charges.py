"""What Azure bills of a resource as it stands in a stack: which meters, and how much of each in a month."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import meters
from .meters import Meter

Attributes = Mapping[str, Any]

DISK_CLASSES = {4: 1, 8: 2, 16: 3, 32: 4, 64: 6, 128: 10, 256: 15, 512: 20, 1024: 30, 2048: 40, 4096: 50, 8192: 60}
"""Largest size in GiB of a class of managed disks, and its number (Microsoft Learn, "Azure managed disk types")."""


@dataclass(frozen=True)
class Charge:
    """Something billed."""

    what: str
    """As people call it."""
    meter: Meter | None
    """None where no price list has it by size alone."""
    low: float = 1
    """Least of it that is billed, such as nodes that are always there."""
    high: float = 1
    detail: tuple[Any, ...] = ()
    """What else decides the price of something without a meter, so that a change of it is noticed."""


def charges_of(type_: str, attributes: Attributes) -> list[Charge]:
    """Return what is billed of a resource; nothing for one that costs nothing."""
    if rule := _RULES.get(type_):
        return rule(attributes)
    if type_ in BY_USE:
        what, *decides = BY_USE[type_]
        return [Charge(what, None, detail=tuple(attributes.get(name) for name in decides))]
    return []


BY_USE = {
    "azurerm_storage_account": ("storage account, by use", "account_tier", "account_replication_type"),
    "azurerm_storage_share": ("file share, by provisioned size", "quota"),
    "azurerm_log_analytics_workspace": ("logs, by GiB taken in", "sku", "retention_in_days", "daily_quota_gb"),
    "azurerm_key_vault": ("Key Vault, by use", "sku_name"),
    "azurerm_data_protection_backup_vault": ("backup vault, by snapshots kept", "redundancy"),
    "azurerm_monitor_workspace": ("managed Prometheus, by samples",),
}
"""What is billed by what it is used for, or by prices that no list here has, and the attributes that decide it."""


def _node(size: str, count: tuple[float, float], *, spot: bool = False, what: str = "nodes") -> Charge:
    return Charge(f"{what} {size}{' spot' if spot else ''}", meters.virtual_machine(size, spot=spot), *count)


def _counts(pool: Attributes) -> tuple[float, float]:
    fixed = pool.get("node_count") or 0
    low, high = pool.get("min_count"), pool.get("max_count")
    return (fixed if low is None else low), (fixed if high is None else high)


def _pool(attributes: Attributes) -> list[Charge]:
    spot = attributes.get("priority") == "Spot"
    what = f"pool {attributes['name']}: nodes" if attributes.get("name") else "nodes"
    return [_node(str(attributes.get("vm_size")), _counts(attributes), spot=spot, what=what)]


def first_block(attributes: Attributes, name: str) -> Attributes:
    """Return a block that a resource has once: a list in a plan, a mapping in a stack; empty where it has none."""
    block = attributes.get(name) or {}
    return (block[0] if block else {}) if isinstance(block, list) else block


def _cluster(attributes: Attributes) -> list[Charge]:
    pool = first_block(attributes, "default_node_pool")
    found = [_node(str(pool.get("vm_size")), _counts(pool), what="pool system: nodes")] if pool else []
    if tier := meters.CLUSTER_TIERS.get(str(attributes.get("sku_tier"))):
        found.append(Charge(f"Kubernetes API, {attributes['sku_tier']}", tier))
    return [*found, Charge("load balancer", meters.LOAD_BALANCER)]


def _registry(attributes: Attributes) -> list[Charge]:
    places = 1 + len(attributes.get("georeplications") or [])
    sku = str(attributes.get("sku"))
    return [Charge(f"registry {sku}", meters.registry(sku), places, places)]


def _postgresql(attributes: Attributes) -> list[Charge]:
    # A standby costs as much as the server it stands by.
    servers = 2 if attributes.get("high_availability") else 1
    sku, gib = str(attributes.get("sku_name")), (attributes.get("storage_mb") or 0) / 1024
    return [
        Charge(f"PostgreSQL {sku}", meters.postgresql_compute(sku), servers, servers),
        Charge(f"PostgreSQL storage {gib:g} GiB", meters.POSTGRESQL_STORAGE, servers * gib, servers * gib),
    ]


def _disk(attributes: Attributes) -> list[Charge]:
    kind, gib = str(attributes.get("storage_account_type")), attributes.get("disk_size_gb") or 0
    tier, _, redundancy = kind.partition("_")
    number = next((number for size, number in DISK_CLASSES.items() if gib <= size), None)
    letter = {"Premium": "P", "StandardSSD": "E"}.get(tier)
    if number is None or letter is None:
        return [Charge(f"disk {kind} {gib} GiB", None)]
    name = attributes.get("name")
    called = f"disk {name}: " if isinstance(name, str) and "${" not in name else "disk "
    return [Charge(f"{called}{letter}{number} {redundancy}", meters.managed_disk(f"{letter}{number}", redundancy))]


def _gateway(attributes: Attributes) -> list[Charge]:
    sku = str(first_block(attributes, "sku").get("name"))
    scale = first_block(attributes, "autoscale_configuration")
    fixed, unit = meters.application_gateway(sku)
    # A gateway's smallest instance counts ten capacity units.
    low, high = (10 * (scale.get(name) or 0) for name in ("min_capacity", "max_capacity"))
    return [Charge(f"Application Gateway {sku}", fixed), Charge("Application Gateway capacity", unit, low, high)]


def _release(attributes: Attributes) -> list[Charge]:
    """Return what Kubernetes makes of an ingress at a private address; AKS puts all such services on one balancer."""
    internal = attributes.get("name") == "nginx-ingress" and "azure-load-balancer-internal" in str(
        attributes.get("values")
    )
    return [Charge("internal load balancer", meters.LOAD_BALANCER)] if internal else []


def _one(what: str, meter: Meter) -> Callable[[Attributes], list[Charge]]:
    return lambda _attributes: [Charge(what, meter)]


_RULES: Mapping[str, Callable[[Attributes], list[Charge]]] = {
    "azurerm_kubernetes_cluster": _cluster,
    "azurerm_kubernetes_cluster_node_pool": _pool,
    "azurerm_container_registry": _registry,
    "azurerm_postgresql_flexible_server": _postgresql,
    "azurerm_managed_disk": _disk,
    "azurerm_application_gateway": _gateway,
    "azurerm_nat_gateway": _one("NAT gateway", meters.NAT_GATEWAY),
    "azurerm_public_ip": _one("public address", meters.PUBLIC_IP),
    "azurerm_private_dns_resolver_inbound_endpoint": _one(
        "DNS resolver, inbound endpoint", meters.DNS_RESOLVER_ENDPOINT
    ),
    "helm_release": _release,
    "azurerm_private_endpoint": _one("private endpoint", meters.PRIVATE_ENDPOINT),
}
