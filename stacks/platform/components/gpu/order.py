"""The order in which the cluster autoscaler tries pools, where models list several.

Its expander `priority` reads it from a ConfigMap of this name in kube-system, and adds no node at all without it
(kubernetes/autoscaler, `expander/priority/priority.go`). A pool is known by the name of its scale set,
`aks-<pool>-<number>-vmss`; the autoscaler would never use one that no expression matches while another one fits.
"""

from collections.abc import Mapping

from stacks.settings.cluster import ClusterSettings
from stacks.settings.models import ModelSettings
from stacks.settings.rules.pools import pool_ranks

CONFIG_MAP = "cluster-autoscaler-priority-expander"
NAMESPACE = "kube-system"
KEY = "priorities"
OTHERS = ("system", "workload")
"""Pools without GPUs; only one of them fits any pod."""


def priorities(cluster: ClusterSettings, models: tuple[ModelSettings, ...]) -> dict[str, str]:
    """Return the ConfigMap's data; empty where no model lists several pools."""
    ranks = pool_ranks(models)
    if not ranks:
        return {}
    lines = []
    for priority, names in sorted(_by_priority(cluster, ranks).items(), reverse=True):
        lines += [f"{priority}:", *(f'  - "-{name}-"' for name in names)]
    return {KEY: "\n".join(lines) + "\n"}


def _by_priority(cluster: ClusterSettings, ranks: Mapping[str, int]) -> dict[int, list[str]]:
    """Return the pools by priority, of which the highest is tried first."""
    most = max(ranks.values())
    found: dict[int, list[str]] = {}
    for name in (*OTHERS, *cluster.gpu_pools):
        # Between pools of no list it does not matter: no pod has a choice.
        found.setdefault(10 * (most - ranks.get(name, most) + 1), []).append(name)
    return found
