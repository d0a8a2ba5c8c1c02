"""How the listed models fit their GPUs, with the arithmetic of the settings' own check."""

from dataclasses import dataclass
from typing import Any

from stacks.settings.cluster import ClusterSettings
from stacks.settings.model_catalogue.entries import KIB_PER_GIB, RUNTIME_GIB, USABLE_SHARE
from stacks.settings.models import ModelSettings


@dataclass(frozen=True)
class Fit:
    """A model against the memory of the GPUs that one replica gets."""

    model: ModelSettings
    pool: str
    gpu: str
    cache_gib: float
    runtime_gib: float
    usable_gib: float

    @property
    def place(self) -> str:
        """The pool, and where it stands in the order of several."""
        if self.pool == self.model.first_pool:
            return self.pool
        return f"{self.pool} after {' and '.join(self.model.pool[: self.model.pool.index(self.pool)])}"

    @property
    def needed_gib(self) -> float:
        """Weights, key-value cache of one full conversation, and runtime."""
        return self.model.weights_gib + self.cache_gib + self.runtime_gib

    @property
    def arithmetic(self) -> str:
        """The sum in words."""
        return (
            f"{self.model.weights_gib:g} weights + {self.cache_gib:.1f} cache of {self.model.context_tokens} tokens +"
            f" {self.runtime_gib:g} runtime = {self.needed_gib:.1f} of {self.usable_gib:.1f} GiB ({self.gpu})"
        )

    def as_json(self) -> dict[str, Any]:
        """The model and the sum."""
        return self.model.model_dump(mode="json") | {
            "pool": self.pool,
            "pools": list(self.model.pool),
            "gpu": self.gpu,
            "needed_gib": round(self.needed_gib, 2),
            "usable_gib": round(self.usable_gib, 2),
        }


def fits(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> list[Fit]:
    """Return how every model fits each of its pools; the settings have been checked, so that pool and GPU are known."""
    found = []
    for model, name in ((each, name) for each in models for name in each.pool):
        pool = cluster.gpu_pools[name]
        gpu = pool.known_size.gpu
        found.append(
            Fit(
                model=model,
                pool=name,
                gpu=f"{model.gpus} x {gpu.model}" + (f" / {pool.time_slices}" if pool.time_slices > 1 else ""),
                cache_gib=model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB,
                runtime_gib=RUNTIME_GIB * model.gpus,
                usable_gib=model.gpus * gpu.memory_gib * USABLE_SHARE[model.engine] / pool.time_slices,
            )
        )
    return found
