"""Models that may run on several pools: one order for all, whole cards, and a cluster that can hold a budget."""

from collections.abc import Iterator

from ..cluster import ClusterSettings
from ..models import ModelSettings
from ..serving import ServingSettings
from .base import Finding

POLICIES_CHANGE_PODS = (1, 36)
"""Kubernetes version from which MutatingAdmissionPolicy is there without being switched on (KEP-3962, stable in 1.36):
what keeps new pods off the later pools."""


def pools_stand_in_one_order(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """Models that list several pools agree on their order: the cluster autoscaler has one for all."""
    before: dict[str, set[str]] = {}
    for index, model in enumerate(models):
        for earlier, later in _pairs(model):
            if earlier in _all_after(before, later):
                yield Finding(
                    ("models", index, "pool"),
                    f"puts {earlier} before {later}, and another model the other way round; the cluster autoscaler has"
                    " one order for all: write the same",
                )
                break
        else:
            for earlier, later in _pairs(model):
                before.setdefault(earlier, set()).add(later)


def _pairs(model: ModelSettings) -> Iterator[tuple[str, str]]:
    yield from zip(model.pool, model.pool[1:], strict=False)


def _all_after(before: dict[str, set[str]], name: str) -> set[str]:
    """Return the pools that come after one, directly or not."""
    found: set[str] = set()
    to_see = [name]
    while to_see:
        for later in before.get(to_see.pop(), set()) - found:
            found.add(later)
            to_see.append(later)
    return found


def pool_ranks(models: tuple[ModelSettings, ...]) -> dict[str, int]:
    """Return the pools that models list beside others, by how many of these stand before each: 0 is tried first."""
    before: dict[str, set[str]] = {}
    listed: dict[str, None] = {}
    for model in models:
        if not model.later_pools:
            continue
        listed |= dict.fromkeys(model.pool)
        for earlier, later in _pairs(model):
            before.setdefault(earlier, set()).add(later)
    return {name: sum(name in _all_after(before, other) for other in listed) for name in listed}


def models_of_several_pools_get_whole_cards(
    models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """No pool of a list is cut into time slices: the engine is started for one share of memory, wherever it runs."""
    for index, model in enumerate(models):
        for name in model.pool if model.later_pools else ():
            pool = cluster.gpu_pools.get(name)
            if pool and pool.time_slices > 1:
                yield Finding(
                    ("models", index, "pool"),
                    f"lists {name}, whose cards are cut into time slices, beside other pools; remove"
                    f" cluster.gpu_pools.{name}.time_slices, or name one pool",
                )


def a_budget_of_node_hours_can_be_held(cluster: ClusterSettings, serving: ServingSettings) -> Iterator[Finding]:
    """What holds models to their first pool is an admission policy, which Kubernetes has from 1.36 on."""
    hours = serving.spill_over.node_hours_per_month
    version = tuple(int(part) for part in cluster.kubernetes_version.split(".")[:2])
    if hours is not None and version < POLICIES_CHANGE_PODS:
        yield Finding(
            ("serving", "spill_over", "node_hours_per_month"),
            f"needs Kubernetes 1.36, whose admission policies can change pods, but cluster.kubernetes_version is"
            f" {cluster.kubernetes_version}; raise that, or remove this",
        )


RULES = (
    pools_stand_in_one_order,
    models_of_several_pools_get_whole_cards,
    a_budget_of_node_hours_can_be_held,
)
