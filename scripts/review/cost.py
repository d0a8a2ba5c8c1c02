"""What a change costs each month, where a dated public price is known; otherwise it says that it is not known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HOURS = 730
"""Hours that Azure's price lists count as a month."""

_PRICES = Path(__file__).with_name("prices.yaml")
_ASSUMPTIONS = Path(__file__).parents[1] / "lab" / "simulation" / "assumptions.yaml"


@dataclass(frozen=True)
class Cost:
    """US dollars a month; a range, because pools and servers scale."""

    low: float = 0.0
    high: float = 0.0
    known: bool = True
    """False where the change costs or saves something, but no price is known."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.low + other.low, self.high + other.high, self.known and other.known)

    def __sub__(self, other: "Cost") -> "Cost":
        """Return the difference of two ranges, lowest to lowest and highest to highest."""
        return Cost(self.low - other.low, self.high - other.high, self.known and other.known)

    def __str__(self) -> str:
        if round(self.low) == round(self.high):
            return f"{self.low:+,.0f} USD a month"
        return f"{self.low:+,.0f} to {self.high:+,.0f} USD a month"


UNKNOWN = Cost(known=False)

Attributes = Mapping[str, Any]


def cost_of(type_: str, before: Attributes, after: Attributes) -> Cost | None:
    """Return what a change adds to the bill; None when it has no price that could change.

    Either side is empty where the resource does not exist.
    """
    if type_ not in _DECIDES or _decisive(type_, before) == _decisive(type_, after):
        return None
    price = _PRICED.get(type_)
    if type_ == _CLUSTER and before and after and _decisive(type_, before)[1:] == _decisive(type_, after)[1:]:
        # Its first pool stays, so that only the tier counts.
        price = _cluster_tier
    if price is None:
        return UNKNOWN
    return (price(after) if after else Cost()) - (price(before) if before else Cost())


@cache
def prices() -> dict[str, Any]:
    """Return the table of prices, with those of GPU nodes as `node_hour` and `spot_share`."""
    table: dict[str, Any] = YAML(typ="safe").load(_PRICES.read_text("utf-8"))
    assumed = YAML(typ="safe").load(_ASSUMPTIONS.read_text("utf-8"))["price"]
    table["node_hour"] = assumed["usd_per_hour"]["value"]
    table["spot_share"] = assumed["spot_share"]["value"]
    table["node_source"] = " ".join(assumed["usd_per_hour"]["source"].split())
    return table


def _decisive(type_: str, attributes: Attributes) -> tuple[Any, ...]:
    """Return what decides the price; empty where the resource does not exist."""
    return tuple(_at(attributes, path) for path in _DECIDES[type_]) if attributes else ()


def _at(attributes: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(attributes, list):
            attributes = attributes[0] if attributes else None
        attributes = attributes.get(key) if isinstance(attributes, Mapping) else None
    return attributes


def _flat(key: str) -> Callable[[Attributes], Cost]:
    def price(_attributes: Attributes) -> Cost:
        return _exactly(float(prices()[key]))

    return price


def _exactly(amount: float) -> Cost:
    return Cost(amount, amount)


def _pool(attributes: Attributes) -> Cost:
    hourly = prices()["node_hour"].get(attributes.get("vm_size"))
    if hourly is None:
        return UNKNOWN
    monthly = hourly * HOURS * (prices()["spot_share"] if attributes.get("priority") == "Spot" else 1)
    fixed = attributes.get("node_count") or 0
    low, high = attributes.get("min_count"), attributes.get("max_count")
    return Cost(monthly * (fixed if low is None else low), monthly * (fixed if high is None else high))


def _cluster_tier(attributes: Attributes) -> Cost:
    price = prices()["cluster_tier"].get(attributes.get("sku_tier"))
    return UNKNOWN if price is None else _exactly(price)


def _registry(attributes: Attributes) -> Cost:
    price = prices()["registry"].get(attributes.get("sku"))
    return UNKNOWN if price is None else _exactly(price * (1 + len(attributes.get("georeplications") or [])))


def _postgresql(attributes: Attributes) -> Cost:
    price = prices()["postgresql"].get(attributes.get("sku_name"))
    if price is None:
        return UNKNOWN
    storage = (attributes.get("storage_mb") or 0) / 1024 * prices()["postgresql_storage_gib"]
    # A standby costs as much as the server it stands by.
    return _exactly((price + storage) * (2 if attributes.get("high_availability") else 1))


_CLUSTER = "azurerm_kubernetes_cluster"

_DECIDES: Mapping[str, tuple[str, ...]] = {
    "azurerm_kubernetes_cluster_node_pool": ("vm_size", "priority", "min_count", "max_count"),
    _CLUSTER: (
        "sku_tier",
        "default_node_pool.vm_size",
        "default_node_pool.min_count",
        "default_node_pool.max_count",
    ),
    "azurerm_container_registry": ("sku", "georeplications"),
    "azurerm_postgresql_flexible_server": ("sku_name", "storage_mb", "high_availability"),
    "azurerm_nat_gateway": ("sku_name",),
    "azurerm_public_ip": ("sku",),
    "azurerm_private_endpoint": ("location",),
    "azurerm_managed_disk": ("storage_account_type", "disk_size_gb", "disk_iops_read_write"),
    "azurerm_storage_account": ("account_tier", "account_replication_type"),
    "azurerm_storage_share": ("quota",),
    "azurerm_application_gateway": ("sku", "autoscale_configuration"),
    "azurerm_log_analytics_workspace": ("sku", "retention_in_days", "daily_quota_gb"),
    "azurerm_key_vault": ("sku_name",),
    "azurerm_data_protection_backup_vault": ("redundancy",),
}
"""Billed types, and the attributes that decide the price."""

_PRICED: Mapping[str, Callable[[Attributes], Cost]] = {
    "azurerm_kubernetes_cluster_node_pool": _pool,
    "azurerm_container_registry": _registry,
    "azurerm_postgresql_flexible_server": _postgresql,
    "azurerm_nat_gateway": _flat("nat_gateway"),
    "azurerm_public_ip": _flat("public_ip"),
    "azurerm_private_endpoint": _flat("private_endpoint"),
}
