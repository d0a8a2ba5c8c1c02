"""Which models a pool's cards can compute, and which can share one."""

import re
from collections.abc import Iterator

from ..azure_catalog.sizes import GPU_SIZES, GpuSize
from ..cluster import ClusterSettings, GpuPoolSettings
from ..file.errors import Key
from ..model_catalogue.engine_statements import vllm_statements
from ..models import Engine, ModelSettings
from .base import Finding

AMPERE = 8.0
CUT_INTO_PARTS = {8.0, 9.0}
"""Compute capabilities of the listed cards that NVIDIA's MIG cuts: A100, H100, H200
(https://docs.nvidia.com/datacenter/tesla/mig-user-guide/)."""
NO_HALF_PRECISION = {
    "gemma2": r"gemma-2-",
    "gemma3": r"gemma-3-",
    "glm4": r"glm-4-.*0414|glm-z1",
}
"""Model types that vLLM refuses in half precision (`model_catalogue.engine_statements`), by the repository's name.

Turing has nothing else for them: it knows no bfloat16.
"""
WIDE_HEADS = r"gemma-[27]b|qwen3-next|qwen3\.5"
"""Repositories whose attention heads of 256 do not fit into Turing's shared memory (vllm-project/vllm#57712)."""

Placed = tuple[Key, ModelSettings, str, GpuPoolSettings, GpuSize]


def placed(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Placed]:
    """Yield the models with each of their pools whose GPU is known: key, model, name of the pool, pool, GPU."""
    for index, model in enumerate(models):
        for name in model.pool:
            pool = cluster.gpu_pools.get(name)
            size = pool.size if pool else None
            if pool and size:
                yield ("models", index), model, name, pool, size


def gpus_can_compute_the_models(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """The GPU knows the number format of the weights."""
    for key, model, name, _, size in placed(models, cluster):
        if model.engine is not Engine.VLLM:
            continue
        needed = vllm_statements().capabilities.get(model.quantization, 0)
        if size.gpu.compute_capability < needed:
            yield Finding(
                (*key, "quantization"),
                f"does not run on the {size.gpu.model} of pool {name} (compute capability"
                f" {size.gpu.compute_capability}, {model.quantization} needs {needed}); take awq, gptq or fp16,"
                " or a pool with A100 or newer",
            )


def turing_starts_the_models(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """Half precision and the size of the heads are ones that the pinned vLLM starts on a Turing card."""
    for key, model, name, _, size in placed(models, cluster):
        if model.engine is not Engine.VLLM or size.gpu.compute_capability >= AMPERE:
            continue
        repository = model.id.rpartition("/")[2].lower()
        refused = next((kind for kind, word in NO_HALF_PRECISION.items() if re.search(word, repository)), None)
        other = f"serve it from a pool with A100 or newer, or by Ollama on pool {name}"
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
    for key, model, name, pool, _ in placed(models, cluster):
        if pool.time_slices == 1:
            continue
        remove = f"take another pool, or remove cluster.gpu_pools.{name}.time_slices"
        if model.engine is Engine.OLLAMA:
            yield Finding(
                (*key, "pool"), f"has cards cut into time slices, but Ollama plans with the whole card; {remove}"
            )
            continue
        if first.setdefault(name, model.name) != model.name or model.max_replicas > 1:
            together = "has cards cut into time slices, on which two vLLM that start together take each other's memory"
            yield Finding((*key, "pool"), f"{together}; one model with one replica fits there: {remove}")


def described_sizes_are_as_azure_has_them(cluster: ClusterSettings) -> Iterator[Finding]:
    """What a file says of a size that is listed is a part of what the list says; and GPUs are in sizes of N series."""
    for name, pool in cluster.gpu_pools.items():
        listed, given = GPU_SIZES.get(pool.vm_size), pool.gpu
        key: Key = ("cluster", "gpu_pools", name)
        if given is None:
            continue
        if not pool.vm_size.startswith("Standard_N"):
            yield Finding((*key, "vm_size"), "has no GPU that gpu could describe; take a size of an N series")
        if listed is None:
            continue
        card = listed.gpu
        if given.mig and card.compute_capability not in CUT_INTO_PARTS:
            yield Finding((*key, "gpu", "mig"), f"is not what a {card.model} can be cut into; remove it")
        elif given.memory_gib > card.memory_gib:
            yield Finding(
                (*key, "gpu", "memory_gib"), f"is more than the {card.model} of this size has ({card.memory_gib})"
            )
        elif given.compute_capability != card.compute_capability:
            yield Finding(
                (*key, "gpu", "compute_capability"),
                f"is not that of the {card.model} of this size ({card.compute_capability})",
            )


def parts_are_no_group(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> Iterator[Finding]:
    """Parts of a card cannot compute one model together."""
    for key, model, name, pool, _ in placed(models, cluster):
        if model.gpus > 1 and pool.gpu and pool.gpu.mig:
            yield Finding((*key, "gpus"), f"must be 1 on pool {name}: parts of a card do not work together")


RULES = (
    gpus_can_compute_the_models,
    turing_starts_the_models,
    cards_are_shared_by_what_can_share,
    described_sizes_are_as_azure_has_them,
    parts_are_no_group,
)
