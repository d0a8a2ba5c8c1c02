"""Whether the region's quota of vCPU has room for the node pools, by family of machines, spot and in all."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.azure import operations
from scripts.azure.errors import MissingError
from scripts.azure.shape import Shape

from ..findings import Finding, NotCheckedError, warning
from ..surroundings import Surroundings
from .pools import Pool, pools
from .skus import Sku, skus

SPOT = "lowPriorityCores"
"""Quota that all spot machines of a region share, whatever their family."""
ALL = "cores"
"""Quota that all regular machines of a region share, besides that of their family."""


class Name(Shape):
    """Name of a quota."""

    value: str


class Usage(Shape):
    """How much of a quota is taken."""

    name: Name
    current_value: int
    limit: int


class AgentPool(Shape):
    """Facts of a pool that exists."""

    count: int = 0
    vm_size: str = ""
    scale_set_priority: str | None = None


class ExistingPool(Shape):
    """A pool that exists."""

    properties: AgentPool


@dataclass
class Demand:
    """What the pools ask of one quota, in vCPU."""

    least: int = 0
    """With which every pool can be used."""
    most: int = 0
    """With every pool at its largest."""
    named: list[str] = field(default_factory=list)
    """The pools, with their sizes."""


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield each quota that is too small. Raises AnswerError, NotCheckedError."""
    offered = skus(asked, "virtualMachines")
    usages = {one.name.value.lower(): one for one in asked.azure.ask_all(
        operations.COMPUTE_USAGES, Usage, region=asked.region)}  # fmt: skip
    own = _own(asked, offered)
    unknown = []
    for quota, demand in demands(asked, offered).items():
        usage = usages.get(quota.lower())
        if usage is None:
            unknown.append(quota)
        elif finding := _compared(asked, usage, demand, own.get(quota, 0)):
            yield finding
    unsized = sorted({pool.size for pool in pools(asked.settings.cluster, asked.settings.azure)} - offered.keys())
    if unknown or unsized:
        raise NotCheckedError(f"Azure names no quota for {', '.join([*unknown, *unsized])}")


def _quotas(family: str | None, *, spot: bool) -> list[str]:
    return [SPOT] if spot else [*filter(None, [family]), ALL]


def demands(asked: Surroundings, offered: dict[str, Sku]) -> dict[str, Demand]:
    """Return what the pools ask of each quota."""
    found: defaultdict[str, Demand] = defaultdict(Demand)
    for pool in pools(asked.settings.cluster, asked.settings.azure):
        sku = offered.get(pool.size)
        if sku is None:
            continue
        for quota in _quotas(sku.family, spot=pool.spot):
            _add(found[quota], pool, int(sku.number("vCPUs")))
    return found


def _add(demand: Demand, pool: Pool, vcpus: int) -> None:
    demand.least += pool.least * vcpus
    demand.most += pool.most * vcpus
    demand.named.append(f"{pool.key} {pool.most} x {pool.size} of {vcpus}")


def _own(asked: Surroundings, offered: dict[str, Sku]) -> dict[str, int]:
    """Return what the environment's own cluster takes already, by quota; nothing where there is none."""
    cluster = (
        f"{asked.group('aks')}/providers/Microsoft.ContainerService/managedClusters"
        f"/{asked.settings.azure_names.resource('aks')}"
    )
    found: defaultdict[str, int] = defaultdict(int)
    try:
        existing = asked.azure.ask_all(operations.AGENT_POOLS, ExistingPool, cluster=cluster)
    except MissingError:
        return found
    for pool in existing:
        facts = pool.properties
        if sku := offered.get(facts.vm_size):
            for quota in _quotas(sku.family, spot=facts.scale_set_priority == "Spot"):
                found[quota] += facts.count * int(sku.number("vCPUs"))
    return found


def _compared(asked: Surroundings, usage: Usage, demand: Demand, own: int) -> Finding | None:
    quota, free = usage.name.value, usage.limit - usage.current_value + own
    if demand.most <= free:
        return None
    what = (
        f"quota {quota} in {asked.region}: {max(0, free)} of {usage.limit} vCPU are free, the pools take"
        f" {demand.most} at their largest ({', '.join(demand.named)})"
    )
    fix = (
        f"az quota update --resource-name {quota} --scope"
        f" /subscriptions/{asked.settings.azure.subscription_id}/providers/Microsoft.Compute/locations/{asked.region}"
        f" --limit-object value={usage.limit + demand.most - free} limit-object-type=LimitValue"
        f" --resource-type {'lowPriority' if quota == SPOT else 'dedicated'}; or lower max_nodes"
    )
    if demand.least > free:
        return Finding(
            f"{what}, {demand.least} at least", "AKS refuses nodes, and pods stay Pending (QuotaExceeded)", fix
        )
    return warning(what, why="the autoscaler stops before the pools are full, and pods stay Pending", fix=fix)
