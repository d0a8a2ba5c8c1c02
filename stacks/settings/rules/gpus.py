"""Served models against the GPUs and disks of the nodes they run on."""

from collections.abc import Iterator

from ..catalog import GPU_SIZES, GpuSize
from ..cluster import GpuPoolSettings
from ..environment import Settings
from ..faults import Key
from ..workloads import Engine, ModelSettings, Quantization
from .base import Finding

NEEDS_AMPERE = {Quantization.FP8, Quantization.BF16, Quantization.MXFP4}
"""What vLLM runs on compute capability 8.0 and newer only; Turing (T4) has neither bfloat16 nor FP8."""
AMPERE = 8.0
USABLE_SHARE = {Engine.VLLM: 0.9, Engine.OLLAMA: 0.95}
"""Part of the GPU memory that the engine takes: vLLM's gpu-memory-utilization, Ollama's own reserve."""
RUNTIME_GIB = 1.0
"""CUDA context, activations and graphs on each GPU."""
OS_AND_IMAGES_GIB = 50
"""Operating system and container images on a GPU node's disk; the rest caches weights."""
KIB_PER_GIB = 1024 * 1024

Placed = tuple[Key, ModelSettings, GpuPoolSettings, GpuSize]


def _placed(settings: Settings) -> Iterator[Placed]:
    """Yield the models whose pool and GPU are known, each with its key."""
    for index, model in enumerate(settings.models):
        pool = settings.cluster.gpu_pools.get(model.pool)
        size = GPU_SIZES.get(pool.vm_size) if pool else None
        if pool and size:
            yield ("models", index), model, pool, size


def gpus_can_compute_the_models(settings: Settings) -> Iterator[Finding]:
    """The GPU knows the number format of the weights."""
    for key, model, _, size in _placed(settings):
        too_old = size.gpu.compute_capability < AMPERE
        if model.engine is Engine.VLLM and model.quantization in NEEDS_AMPERE and too_old:
            yield Finding(
                (*key, "quantization"),
                f"does not run on the {size.gpu.model} of pool {model.pool} (compute capability"
                f" {size.gpu.compute_capability}, {model.quantization} needs {AMPERE}); take awq, gptq or fp16,"
                " or a pool with A100 or newer",
            )


def nodes_have_the_gpus(settings: Settings) -> Iterator[Finding]:
    """A replica's GPUs are in one node, and the pool has nodes for the replicas that stay."""
    needed: dict[str, float] = {}
    for key, model, pool, size in _placed(settings):
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


def models_fit_into_gpu_memory(settings: Settings) -> Iterator[Finding]:
    """Weights, key-value cache of one full conversation and runtime fit into the replica's share of the GPUs."""
    for key, model, pool, size in _placed(settings):
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


def weights_fit_on_the_node_disk(settings: Settings) -> Iterator[Finding]:
    """The models of a pool's Ollama, which any of its nodes may serve, fit on a node's disk together."""
    sums: dict[str, float] = {}
    for key, model, pool, _ in _placed(settings):
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


RULES = (
    gpus_can_compute_the_models,
    nodes_have_the_gpus,
    models_fit_into_gpu_memory,
    weights_fit_on_the_node_disk,
)
