"""What Azure counts: a meter by our name for it, and how the Azure Retail Prices API lists it.

Names of services, products and meters: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
and the cost estimator Infracost (github.com/infracost/infracost, internal/resources/azure), which asks by the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .amount import HOURS

PER_MONTH = {"1 Hour": HOURS, "1/Hour": HOURS, "1/Day": 365 / 12, "1/Month": 1, "1 GB/Month": 1, "1 GiB/Month": 1}
"""How often a month has the unit that a price is for."""


@dataclass(frozen=True)
class Meter:
    """Something that Azure has one price for in a region."""

    name: str
    """Our name, by which the dated list has its price; such as `vm Standard_D4ds_v5`."""
    service: str
    """`serviceName` of the API."""
    product: str = ""
    """Regular expression of `productName`."""
    sku: str = ""
    """Regular expression of `skuName`."""
    meter: str = ""
    """Regular expression of `meterName`."""
    size: str = ""
    """`armSkuName`, which the question to the API is narrowed by."""
    times: float = 1
    """Units of the API's price in one of ours: a PostgreSQL server has so many vCores."""

    def monthly(self, items: list[Mapping[str, Any]]) -> float | None:
        """Return the price a month among the API's `items`; None where none or more than one fits."""
        fitting = {
            round(float(item["retailPrice"]) * PER_MONTH[item["unitOfMeasure"]] * self.times, 6)
            for item in items
            if item.get("type") == "Consumption"
            and not item.get("tierMinimumUnits")
            and item.get("unitOfMeasure") in PER_MONTH
            and (not self.size or item.get("armSkuName") == self.size)
            and re.search(self.product, item.get("productName") or "")
            and re.search(self.sku, item.get("skuName") or "")
            and re.search(self.meter, item.get("meterName") or "")
        }
        return fitting.pop() if len(fitting) == 1 else None


def virtual_machine(size: str, *, spot: bool = False) -> Meter:
    """A Linux machine, by the hour."""
    sku = r" Spot$" if spot else r"^(?!.*(Spot|Low Priority)).*$"
    name = f"vm {size} spot" if spot else f"vm {size}"
    return Meter(name, "Virtual Machines", r"^(?!.*(Windows|CloudServices|Dedicated)).*$", sku, size=size)


def managed_disk(tier: str, redundancy: str) -> Meter:
    """A disk of a size class such as P10 or E6, zone-redundant (ZRS) or not (LRS)."""
    product = "^Premium SSD Managed Disks$" if tier.startswith("P") else "^Standard SSD Managed Disks$"
    return Meter(f"disk {tier} {redundancy}", "Storage", product, "", rf"^{tier} {redundancy} Disk$")


_POSTGRESQL = re.compile(
    r"(?P<tier>B|GP|MO)_Standard_(?P<family>[A-Z]+)(?P<cores>\d+)(?P<rest>[a-z]*)(?:_(?P<version>v\d))?"
)
_TIERS = {"GP": "General Purpose", "MO": "Memory Optimized"}


def postgresql_compute(sku: str) -> Meter | None:
    """A PostgreSQL Flexible Server's compute; None for a size of another form."""
    parts = _POSTGRESQL.fullmatch(sku)
    if parts is None:
        return None
    service, begin = "Azure Database for PostgreSQL", "^(Azure Database|Az DB) for PostgreSQL Flexible Server"
    if parts["tier"] == "B":
        size = f"{parts['family']}{parts['cores']}{parts['rest']}"
        return Meter(f"postgresql {sku}", service, f"{begin} Burstable", rf"(?i)^{size}$")
    series = f"{parts['family']}{parts['rest']}{parts['version'] or ''}"
    product = rf"(?i){begin} {_TIERS[parts['tier']]} (- )?{series}"
    return Meter(f"postgresql {sku}", service, product, r"^vCore$|^1 vCore$", "(?i)vcore", times=int(parts["cores"]))


CLUSTER_TIERS = {
    "Standard": Meter("aks Standard", "Azure Kubernetes Service", meter="^Standard Uptime SLA$"),
    "Premium": Meter("aks Premium", "Azure Kubernetes Service", meter="^Standard Long Term Support$"),
}
LOAD_BALANCER = Meter("load balancer", "Load Balancer", meter="^Standard Included LB Rules and Outbound Rules$")
DISK_SNAPSHOT = Meter(
    "disk snapshot GiB",
    "Storage",
    "^Standard HDD Managed Disks$",
    "^Snapshots (LRS|ZRS)$",
    "^(LRS|ZRS) Snapshots$",
)
"""An incremental snapshot lies on Standard storage, whatever its disk is on."""
NAT_GATEWAY = Meter("nat gateway", "NAT Gateway", meter="^Standard Gateway$")
PUBLIC_IP = Meter("public ip", "Virtual Network", "^IP Addresses$", "^Standard$", "^Standard IPv4 Static Public IP$")
PRIVATE_ENDPOINT = Meter(
    "private endpoint", "Virtual Network", "^Virtual Network Private Link$", meter="^Standard Private Endpoint$"
)
DNS_RESOLVER_ENDPOINT = Meter(
    "dns resolver endpoint", "Azure DNS", sku="^Private Resolver$", meter="^Private Resolver Inbound Endpoint$"
)
POSTGRESQL_STORAGE = Meter(
    "postgresql storage GiB",
    "Azure Database for PostgreSQL",
    "^Az DB for PostgreSQL Flexible Server Storage$",
    meter="^Storage Data Stored$",
)


def registry(tier: str) -> Meter:
    """A container registry, by the day."""
    return Meter(f"registry {tier}", "Container Registry", meter=f"^{tier} Registry Unit$")


def application_gateway(sku: str) -> tuple[Meter, Meter]:
    """An Application Gateway itself, and one of its capacity units."""
    product = f"Application Gateway {sku.replace('_', ' ')}$"
    return (
        Meter(f"application gateway {sku}", "Application Gateway", product, meter="Fixed Cost$"),
        Meter(f"application gateway {sku} unit", "Application Gateway", product, meter="Capacity Units$"),
    )
