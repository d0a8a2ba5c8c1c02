"""How models are served: shared engines, stores, and what a GPU node leaves for pods."""

import math
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..azure_catalog.reservations import allocatable
from ..cluster import ClusterSettings
from ..models import Engine, ModelSettings
from ..serving import ModelStore, ServingSettings
from .base import Finding

SHARED_BY_A_POOL = ("pool", "gpus", "min_replicas", "max_replicas", "idle_minutes")
"""What one Ollama server has once for all of its models."""
STORE_HEADROOM = 1.1
"""Room in a share for a download in progress."""
DAEMONS_CPU = 0.5
"""Cores that the pods of every GPU node ask for: network, storage drivers, device plugin, exporter."""
DAEMONS_MEMORY_GIB = 1.5
"""Memory that they ask for."""


def ollama_models_of_a_pool_agree(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """One Ollama serves all Ollama models of a pool, so what it has once is equal for them."""
    first: dict[str, int] = {}
    for index, model in enumerate(models):
        if model.engine is not Engine.OLLAMA:
            continue
        leader = first.setdefault(model.first_pool, index)
        for field in SHARED_BY_A_POOL:
            mine, theirs = getattr(model, field), getattr(models[leader], field)
            if mine != theirs:
                told = f"[{', '.join(theirs)}]" if field == "pool" else theirs
                yield Finding(
                    ("models", index, field),
                    f"differs from models[{leader}].{field} ({told}), but one Ollama serves both from pool"
                    f" {model.first_pool}; write the same, or give one of them another pool",
                )


def stores_hold_the_weights(models: tuple[ModelSettings, ...], serving: ServingSettings) -> Iterator[Finding]:
    """The share of each engine holds all of its models, those that guess for others included."""
    if serving.model_store is not ModelStore.AZURE_FILES:
        return
    for engine, key in ((Engine.OLLAMA, "ollama_store_gib"), (Engine.VLLM, "vllm_store_gib")):
        sizes = {model.id: model.weights_gib for model in models if model.engine is engine}
        guessing = [model.speculative for model in models if model.engine is engine and model.speculative]
        sizes |= {each.id: each.weights_gib for each in guessing if each.id}
        total, room = sum(sizes.values()), getattr(serving, key)
        if total * STORE_HEADROOM > room:
            yield Finding(
                ("serving", key),
                f"must be at least {total * STORE_HEADROOM:.0f}: the {engine} models take {total:.1f} GiB, and a tenth"
                " more stays free for a download",
            )


def engines_fit_on_the_gpu_nodes(
    serving: ServingSettings, models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """What engines ask for with every GPU share of a node fits into what AKS leaves of the node for pods."""
    for name in dict.fromkeys(name for model in models for name in model.pool):
        pool = cluster.gpu_pools.get(name)
        size = pool.size if pool else None
        if pool is None or size is None:
            continue
        shares = size.gpus * pool.time_slices
        room = allocatable(size.vcpus, size.memory_gib, cluster.max_pods_per_node)
        sliced = f" x {pool.time_slices} time slices" if pool.time_slices > 1 else ""
        asked = f"with {size.gpus} GPUs{sliced} per node" if size.gpus > 1 else f"with 1 GPU{sliced} per node"
        for key, wanted, left, unit, step in (
            ("cpu_per_gpu", serving.cpu_per_gpu, room.cpu - DAEMONS_CPU, "cores", 10),
            ("memory_gib_per_gpu", serving.memory_gib_per_gpu, room.memory_gib - DAEMONS_MEMORY_GIB, "GiB", 1),
        ):
            if wanted * shares > left:
                yield Finding(
                    ("serving", key),
                    f"makes engines ask for {wanted * shares:g} {unit} {asked}, but AKS leaves {left:.1f} on a"
                    f" {pool.vm_size} of pool {name} beside the node's own pods; write at most"
                    f" {math.floor(left / shares * step) / step:g}",
                )


def warm_hours_end_after_they_start(serving: ServingSettings) -> Iterator[Finding]:
    """Warm hours lie within one day."""
    hours = serving.warm_hours
    if hours and hours.end <= hours.start:
        yield Finding(("serving", "warm_hours", "end"), f"must be later than start ({hours.start}) on the same day")


def warm_hours_are_in_the_calendar(serving: ServingSettings) -> Iterator[Finding]:
    """The schedule is one that KEDA's cron trigger reads: days in order, a zone of the tz database."""
    hours = serving.warm_hours
    if hours is None:
        return
    for part in hours.days.split(","):
        first, _, last = part.partition("-")
        if last and last < first:
            yield Finding(
                ("serving", "warm_hours", "days"),
                f"has {part}, whose end is before its start; write the days one by one or as two ranges, 0 is Sunday",
            )
    try:
        ZoneInfo(hours.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Finding(
            ("serving", "warm_hours", "timezone"), "is no zone of the tz database; write one such as Europe/Berlin"
        )


RULES = (
    ollama_models_of_a_pool_agree,
    stores_hold_the_weights,
    engines_fit_on_the_gpu_nodes,
    warm_hours_end_after_they_start,
    warm_hours_are_in_the_calendar,
)
