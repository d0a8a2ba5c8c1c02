"""Whether Azure has the VM size of every node pool in the zones that the environment file asks for.

Asked before the first deployment: AKS would refuse a pool only after vault, database and cluster exist.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scripts.core.azure import az_list
from scripts.core.errors import OperatorError

if TYPE_CHECKING:
    from stacks.settings import Settings


def pools(settings: "Settings") -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield key, size and zones of every node pool that is spread over zones."""
    zones, cluster = tuple(settings.azure.zones), settings.cluster
    if not zones:
        return
    yield "cluster.system_pool.vm_size", cluster.system_pool.vm_size, zones
    yield "cluster.workload_pool.vm_size", cluster.workload_pool.vm_size, zones
    for name, pool in cluster.gpu_pools.items():
        chosen = zones if pool.zones is None else tuple(pool.zones)
        if chosen:
            yield f"cluster.gpu_pools.{name}.zones", pool.vm_size, chosen


def refused(settings: "Settings", ask: Callable[..., list[Any]] = az_list) -> list[str]:
    """Return one line for each pool whose zones Azure would refuse, with the key and the value to write.

    Where Azure cannot be asked nothing is known and nothing is said. AKS may have less than the subscription
    (https://learn.microsoft.com/azure/aks/reliability-availability-zones-configure), so that silence is no promise.
    """
    asked = list(pools(settings))
    known = _available(settings, ask) if asked else {}
    found = []
    for key, size, zones in asked:
        available = known.get(size)
        if available is None or set(zones) <= available:
            continue
        there = sorted(available)
        if key.endswith(".zones"):
            fix = f"write {key}: {[zone for zone in zones if zone in available]}"
        else:
            fix = "choose another size"
        found.append(
            f"{key}: {size} is available in {settings.azure.region} in zones {there or 'none'}, not in"
            f" {sorted(set(zones) - available)}; {fix}"
        )
    return found


def _available(settings: "Settings", ask: Callable[..., list[Any]]) -> dict[str, set[int]]:
    """Return the zones of every machine of the region; nothing where Azure cannot be asked.

    One question for all sizes, since az fetches the whole list for each.
    """
    try:
        skus = ask(
            *("vm", "list-skus", "--subscription", settings.azure.subscription_id),
            *("--location", settings.azure.region, "--resource-type", "virtualMachines"),
        )
    except OperatorError:
        return {}
    return {
        str(sku["name"]): _zones_of(sku.get("locationInfo") or []) - _restricted(sku.get("restrictions") or [])
        for sku in skus
    }


def _zones_of(places: Sequence[Any]) -> set[int]:
    return {int(zone) for place in places for zone in place.get("zones") or []}


def _restricted(restrictions: Sequence[Any]) -> set[int]:
    limits = [limit.get("restrictionInfo") or {} for limit in restrictions if limit.get("type") == "Zone"]
    return {int(zone) for limit in limits for zone in limit.get("zones") or []}
