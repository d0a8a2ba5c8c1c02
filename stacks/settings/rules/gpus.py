"""Served models against the GPUs and disks of the nodes they run on."""

import math
import re
from collections.abc import Iterator

from ..catalog import GPU_SIZES, GpuSize
from ..cluster import ClusterSettings, GpuPoolSettings
from ..errors import Key
from ..models import Engine, ModelSettings, Quantization
from ..opik import OpikSettings
from ..serving import ModelStore, ServingSettings
from .base import Finding

NEEDS_AMPERE = {Quantization.FP8, Quantization.BF16, Quantization.MXFP4}
"""What vLLM runs on compute capability 8.0 and newer only; Turing (T4) has neither bfloat16 nor FP8."""
AMPERE = 8.0
USABLE_SHARE = {Engine.VLLM: 0.9, Engine.OLLAMA: 0.95}
"""Part of the GPU memory that the engine takes: vLLM's gpu-memory-utilization, Ollama's own reserve."""
VLLM_VERSION = "v0.33.0"
"""The image whose statements the two tables below are."""
NO_HALF_PRECISION = {
    "gemma2": r"gemma-2-",
    "gemma3": r"gemma-3-",
    "glm4": r"glm-4-.*0414|glm-z1",
}
"""Model types that vLLM refuses in half precision (`vllm/config/model.py:2398` of the wheel), by the repository's name.

Turing has nothing else for them: it knows no bfloat16.
"""
WIDE_HEADS = r"gemma-[27]b|qwen3-next|qwen3\.5"
"""Repositories whose attention heads of 256 do not fit into Turing's shared memory (vllm-project/vllm#57712)."""
LOAD_MIB_PER_S = (100, 0.1)
"""Throughput of a premium share: the first number, and the second for each GiB of its size (Microsoft Learn,
"Understand Azure Files billing", provisioned v2)."""
LOAD_SECONDS = 600
"""Longest that weights may take into a GPU while a request waits: `stacks/platform/common/timeouts.py`."""
RUNTIME_GIB = 1.0
"""CUDA context, activations and graphs on each GPU."""
OS_AND_IMAGES_GIB = 50
"""Operating system and container images on a GPU node's disk; the rest caches weights."""
KIB_PER_GIB = 1024 * 1024

Placed = tuple[Key, ModelSettings, GpuPoolSettings, GpuSize]


def _placed(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Placed]:
    """Yield the models whose pool and GPU are known, each with its key."""
    for index, model in enumerate(models):
        pool = cluster.gpu_pools.get(model.pool)
        size = GPU_SIZES.get(pool.vm_size) if pool else None
        if pool and size:
            yield ("models", index), model, pool, size


def gpus_can_compute_the_models(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """The GPU knows the number format of the weights."""
    for key, model, _, size in _placed(models, cluster):
        too_old = size.gpu.compute_capability < AMPERE
        if model.engine is Engine.VLLM and model.quantization in NEEDS_AMPERE and too_old:
            yield Finding(
                (*key, "quantization"),
                f"does not run on the {size.gpu.model} of pool {model.pool} (compute capability"
                f" {size.gpu.compute_capability}, {model.quantization} needs {AMPERE}); take awq, gptq or fp16,"
                " or a pool with A100 or newer",
            )


def nodes_have_the_gpus(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """A replica's GPUs are in one node, and the pool has nodes for the replicas that stay."""
    needed: dict[str, float] = {}
    for key, model, pool, size in _placed(models, cluster):
        if model.gpus > size.gpus:
            has = f"is more than a node of pool {model.pool} has: {pool.vm_size} comes with {size.gpus}"
            yield Finding((*key, "gpus"), has)
        elif model.gpus > 1 and pool.time_slices > 1:
            sliced = "cannot exceed 1 on a pool with time_slices: the shares may be of the same GPU"
            yield Finding((*key, "gpus"), sliced)
        if model.engine is Engine.VLLM:
            needed[model.pool] = needed.get(model.pool, 0) + model.min_replicas * model.gpus / pool.time_slices
            available = pool.max_nodes * size.gpus
            if model.min_replicas and needed[model.pool] > available:
                yield Finding(
                    (*key, "min_replicas"),
                    f"makes pool {model.pool} hold {needed[model.pool]:g} GPUs of loaded models, but it has at most"
                    f" {pool.max_nodes} nodes x {size.gpus} = {available}; raise max_nodes or lower it",
                )


def pools_have_room_for_all_that_runs_there(
    models: tuple[ModelSettings, ...], cluster: ClusterSettings, opik: OpikSettings
) -> Iterator[Finding]:
    """What stays loaded on a pool leaves a GPU to each engine that shares it, and to the guardrails service."""
    stays: dict[str, float] = {}
    waits: dict[str, tuple[Key, str, int]] = {}
    for key, model, _, _ in _placed(models, cluster):
        if model.engine is Engine.VLLM:
            stays[model.pool] = stays.get(model.pool, 0) + model.min_replicas * model.gpus
            if not model.min_replicas:
                waits.setdefault(model.pool, ((*key, "pool"), model.name, model.gpus))
        elif model.min_replicas:
            stays.setdefault(f"{model.pool} ollama", model.min_replicas * model.gpus)
        else:
            waits.setdefault(model.pool, ((*key, "pool"), f"Ollama with {model.name}", model.gpus))
    for name, pool in cluster.gpu_pools.items():
        size = GPU_SIZES.get(pool.vm_size)
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
    for key, model, pool, size in _placed(models, cluster):
        cache = model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB
        runtime = RUNTIME_GIB * model.gpus
        needed = model.weights_gib + cache + runtime
        share = USABLE_SHARE[model.engine]
        usable = model.gpus * size.gpu.memory_gib * share / pool.time_slices
        if needed > usable:
            slices = f" / {pool.time_slices} time slices" if pool.time_slices > 1 else ""
            yield Finding(
                (*key, "weights_gib"),
                f"makes {model.name} need {model.weights_gib:g} weights + {model.context_tokens} tokens x"
                f" {model.kv_cache_kib_per_token:g} KiB = {cache:.1f} cache + {runtime:g} runtime = {needed:.1f} GiB,"
                f" but pool {model.pool} gives {model.gpus} x {size.gpu.model} {size.gpu.memory_gib:g} GiB x"
                f" {share:g}{slices} = {usable:.1f} GiB; lower context_tokens, take smaller weights or a larger GPU",
            )


def weights_fit_on_the_node_disk(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """The models of a pool's Ollama, which any of its nodes may serve, fit on a node's disk together."""
    sums: dict[str, float] = {}
    for key, model, pool, _ in _placed(models, cluster):
        if model.engine is not Engine.OLLAMA:
            continue
        before = sums.get(model.pool, 0)
        sums[model.pool] = before + model.weights_gib
        room = pool.os_disk_gib - OS_AND_IMAGES_GIB
        if before <= room < sums[model.pool]:
            yield Finding(
                (*key, "weights_gib"),
                f"brings the Ollama models of pool {model.pool} to {sums[model.pool]:.1f} GiB, but a node's disk has"
                f" {pool.os_disk_gib} - {OS_AND_IMAGES_GIB} for system and images = {room} GiB;"
                f" raise cluster.gpu_pools.{model.pool}.os_disk_gib",
            )


def turing_starts_the_models(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """Half precision and the size of the heads are ones that the pinned vLLM starts on a Turing card."""
    for key, model, _, size in _placed(models, cluster):
        if model.engine is not Engine.VLLM or size.gpu.compute_capability >= AMPERE:
            continue
        repository = model.id.rpartition("/")[2].lower()
        refused = next((kind for kind, name in NO_HALF_PRECISION.items() if re.search(name, repository)), None)
        other = f"serve it from a pool with A100 or newer, or by Ollama on pool {model.pool}"
        if refused:
            why = f"is of the type {refused}, which vLLM refuses in half precision, all that a {size.gpu.model} has"
            yield Finding((*key, "id"), f"{why}; {other}")
        elif re.search(WIDE_HEADS, repository):
            yield Finding((*key, "id"), f"has attention heads too wide for the {size.gpu.model}; {other}")


def cards_are_shared_by_what_can_share(
    models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """A card cut into time slices takes one vLLM beside what is no engine.

    Memory is not isolated between slices: an Ollama plans with the whole card, and two vLLM that start together
    measure each other's memory.
    """
    first: dict[str, str] = {}
    for key, model, pool, _ in _placed(models, cluster):
        if pool.time_slices == 1:
            continue
        remove = f"take another pool, or remove cluster.gpu_pools.{model.pool}.time_slices"
        if model.engine is Engine.OLLAMA:
            yield Finding(
                (*key, "pool"), f"has cards cut into time slices, but Ollama plans with the whole card; {remove}"
            )
            continue
        if first.setdefault(model.pool, model.name) != model.name or model.max_replicas > 1:
            together = "has cards cut into time slices, on which two vLLM that start together take each other's memory"
            yield Finding((*key, "pool"), f"{together}; one model with one replica fits there: {remove}")


def weights_are_loaded_in_time(
    serving: ServingSettings, models: tuple[ModelSettings, ...], cluster: ClusterSettings
) -> Iterator[Finding]:
    """A share is fast enough to bring a model's weights into the GPU before the request that waits is given up."""
    if serving.model_store is not ModelStore.AZURE_FILES:
        return
    base, more = LOAD_MIB_PER_S
    for key, model, _, _ in _placed(models, cluster):
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
    gpus_can_compute_the_models,
    nodes_have_the_gpus,
    pools_have_room_for_all_that_runs_there,
    models_fit_into_gpu_memory,
    weights_fit_on_the_node_disk,
    turing_starts_the_models,
    cards_are_shared_by_what_can_share,
    weights_are_loaded_in_time,
)
