"""Whether pools have the GPUs, the memory, the disk and the time for the models that they serve."""

import math
from collections.abc import Iterator

from ..cluster import ClusterSettings
from ..file.errors import Key
from ..model_catalogue.entries import KIB_PER_GIB, RUNTIME_GIB, USABLE_SHARE
from ..models import Engine, ModelSettings
from ..opik import OpikSettings
from ..serving import ModelStore, ServingSettings
from .base import Finding
from .gpu_cards import placed

LOAD_MIB_PER_S = (100, 0.1)
"""Throughput of a premium share: the first number, and the second for each GiB of its size (Microsoft Learn,
"Understand Azure Files billing", provisioned v2)."""
LOAD_SECONDS = 600
"""Longest that weights may take into a GPU while a request waits: `stacks/platform/common/timeouts.py`."""
OS_AND_IMAGES_GIB = 50
"""Operating system and container images on a GPU node's disk; the rest caches weights."""


def nodes_have_the_gpus(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """A replica's GPUs are in one node, and the pool has nodes for the replicas that stay."""
    needed: dict[str, float] = {}
    for key, model, name, pool, size in placed(models, cluster):
        if model.gpus > size.gpus:
            has = f"is more than a node of pool {name} has: {pool.vm_size} comes with {size.gpus}"
            yield Finding((*key, "gpus"), has)
        elif model.gpus > 1 and pool.time_slices > 1:
            sliced = "cannot exceed 1 on a pool with time_slices: the shares may be of the same GPU"
            yield Finding((*key, "gpus"), sliced)
        if model.engine is Engine.VLLM and name == model.first_pool:
            needed[name] = needed.get(name, 0) + model.min_replicas * model.gpus / pool.time_slices
            available = pool.max_nodes * size.gpus
            if model.min_replicas and needed[name] > available:
                yield Finding(
                    (*key, "min_replicas"),
                    f"makes pool {name} hold {needed[name]:g} GPUs of loaded models, but it has at most"
                    f" {pool.max_nodes} nodes x {size.gpus} = {available}; raise max_nodes or lower it",
                )


def pools_have_room_for_all_that_runs_there(
    models: tuple[ModelSettings, ...], cluster: ClusterSettings, opik: OpikSettings
) -> Iterator[Finding]:
    """What stays loaded on a pool leaves a GPU to each engine that shares it, and to the guardrails service."""
    stays: dict[str, float] = {}
    waits: dict[str, tuple[Key, str, int]] = {}
    for key, model, pool_name, _, _ in placed(models, cluster):
        if pool_name != model.first_pool:
            continue
        if model.engine is Engine.VLLM:
            stays[pool_name] = stays.get(pool_name, 0) + model.min_replicas * model.gpus
            if not model.min_replicas:
                waits.setdefault(pool_name, ((*key, "pool"), model.name, model.gpus))
        elif model.min_replicas:
            stays.setdefault(f"{pool_name} ollama", model.min_replicas * model.gpus)
        else:
            waits.setdefault(pool_name, ((*key, "pool"), f"Ollama with {model.name}", model.gpus))
    for name, pool in cluster.gpu_pools.items():
        size = pool.size
        if size is None:
            continue
        kept = stays.get(name, 0) + stays.get(f"{name} ollama", 0)
        shares = pool.max_nodes * size.gpus * pool.time_slices
        guardrails = int(opik.enabled and opik.guardrails_pool == name)
        raise_it = f"raise cluster.gpu_pools.{name}.max_nodes, or take another pool"
        if guardrails and kept + guardrails > shares:
            yield Finding(
                ("opik", "guardrails_pool"),
                f"has room for {shares} at once, and models that stay loaded (min_replicas) take {kept:g}; {raise_it}",
            )
        elif name in waits and kept + guardrails + waits[name][2] > shares:
            key, who, wanted = waits[name]
            yield Finding(
                key,
                f"has GPUs for {shares} at once, and {kept + guardrails:g} stay taken, so that {who}, which needs"
                f" {wanted}, could never start; {raise_it}",
            )


def models_fit_into_gpu_memory(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """Weights, key-value cache of one full conversation and runtime fit into the replica's share of the GPUs."""
    for key, model, name, pool, size in placed(models, cluster):
        cache = model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB
        runtime = RUNTIME_GIB * model.gpus
        draft = model.speculative.weights_gib if model.speculative else 0
        needed = model.weights_gib + draft + cache + runtime
        share = USABLE_SHARE[model.engine]
        usable = model.gpus * size.gpu.memory_gib * share / pool.time_slices
        if needed > usable:
            slices = f" / {pool.time_slices} time slices" if pool.time_slices > 1 else ""
            guessing = f" + {draft:g} guessing model" if draft else ""
            yield Finding(
                (*key, "weights_gib"),
                f"makes {model.name} need {model.weights_gib:g} weights{guessing} + {model.context_tokens} tokens x"
                f" {model.kv_cache_kib_per_token:g} KiB = {cache:.1f} cache + {runtime:g} runtime = {needed:.1f} GiB,"
                f" but pool {name} gives {model.gpus} x {size.gpu.model} {size.gpu.memory_gib:g} GiB x"
                f" {share:g}{slices} = {usable:.1f} GiB; lower context_tokens, take smaller weights or a larger GPU",
            )


def weights_fit_on_the_node_disk(
    serving: ServingSettings, models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """Where nodes keep the weights, those of a pool's Ollama fit on a disk together, and those of a node's replicas."""
    if serving.model_store is not ModelStore.NODE_DISK:
        return
    sums: dict[str, float] = {}
    for key, model, name, pool, size in placed(models, cluster):
        room = pool.os_disk_gib - OS_AND_IMAGES_GIB
        if model.engine is not Engine.OLLAMA:
            # Each replica downloads a copy of its own.
            copies = max(1, min(size.gpus * pool.time_slices // model.gpus, model.max_replicas))
            needed = copies * (model.weights_gib + (model.speculative.weights_gib if model.speculative else 0))
            if needed > room:
                yield Finding(
                    (*key, "weights_gib"),
                    f"makes a node of pool {name} hold {needed:.1f} GiB of {model.name} ({copies} x), but its"
                    f" disk has {pool.os_disk_gib} - {OS_AND_IMAGES_GIB} for system and images = {room} GiB;"
                    f" raise cluster.gpu_pools.{name}.os_disk_gib",
                )
            continue
        before = sums.get(name, 0)
        sums[name] = before + model.weights_gib
        if before <= room < sums[name]:
            yield Finding(
                (*key, "weights_gib"),
                f"brings the Ollama models of pool {name} to {sums[name]:.1f} GiB, but a node's disk has"
                f" {pool.os_disk_gib} - {OS_AND_IMAGES_GIB} for system and images = {room} GiB;"
                f" raise cluster.gpu_pools.{name}.os_disk_gib",
            )


def weights_are_loaded_in_time(
    serving: ServingSettings, models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """A share is fast enough to bring a model's weights into the GPU before the request that waits is given up."""
    if serving.model_store is not ModelStore.AZURE_FILES:
        return
    base, more = LOAD_MIB_PER_S
    for key, model, _, _, _ in placed(models, cluster):
        store = "ollama_store_gib" if model.engine is Engine.OLLAMA else "vllm_store_gib"
        size_gib = getattr(serving, store)
        seconds = model.weights_gib * 1024 / (base + more * size_gib)
        # vLLM is ready only when the weights are there: what waits for it is held, not timed.
        if model.engine is Engine.OLLAMA and seconds > LOAD_SECONDS:
            wanted = math.ceil((model.weights_gib * 1024 / LOAD_SECONDS - base) / more)
            yield Finding(
                (*key, "weights_gib"),
                f"takes {seconds:.0f} s from a share of {size_gib} GiB, which reads {base + more * size_gib:g} MiB/s,"
                f" but a request waits {LOAD_SECONDS} s for it; set serving.{store}: {wanted}",
            )


RULES = (
    nodes_have_the_gpus,
    pools_have_room_for_all_that_runs_there,
    models_fit_into_gpu_memory,
    weights_fit_on_the_node_disk,
    weights_are_loaded_in_time,
)
