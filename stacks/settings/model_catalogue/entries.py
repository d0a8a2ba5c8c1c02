"""The models that a name alone serves (`helm/models.yaml`), and what an environment file's entry becomes with it.

An entry that says by itself what is served (engine, id and weights) is left as it stands: figures of the catalogue
never change a deployed environment.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stacks.common.yaml_text import parsed

from ..azure_catalog.sizes import GpuSize
from ..cluster import GpuPoolSettings
from .engine_statements import vllm_statements

FILE = Path(__file__).parents[3] / "helm" / "models.yaml"
DECIDED_BY_A_NAME = ("engine", "id", "weights_gib")
"""Keys without which an entry is looked up."""
USABLE_SHARE = {"vllm": 0.9, "ollama": 0.95}
"""Part of the GPU memory that the engine takes: vLLM's gpu-memory-utilization, Ollama's own reserve."""
RUNTIME_GIB = 1.0
"""CUDA context, activations and graphs on each GPU."""
KIB_PER_GIB = 1024 * 1024
CONTEXT_TOKENS = 8192
"""Context of an entry that names none, or the model's longest where that is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One way to serve a model."""

    engine: str
    id: str
    quantization: str
    weights_gib: float
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """A model of the catalogue."""

    name: str
    licence: str
    source: str
    longest_context: int
    kv_cache_kib_per_token: float
    offers: tuple[Offer, ...]
    vector_length: int | None = None
    """Length of its vectors; None for a model that writes text."""

    @property
    def context_tokens(self) -> int:
        """Context that it gets where the file names none."""
        return min(CONTEXT_TOKENS, self.longest_context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one replica would need of a pool, and what the pool gives it."""

    pool: str
    needed_gib: float
    usable_gib: float
    problem: str = ""
    """Why it does not run there; empty where it does."""

    @property
    def fits(self) -> bool:
        """Whether the model runs there."""
        return not self.problem


@cache
def catalogue() -> dict[str, CatalogueModel]:
    """Return the models by name."""
    return {
        name: CatalogueModel(name=name, offers=tuple(Offer(**offer) for offer in entry.pop("offers")), **entry)
        for name, entry in parsed(FILE.read_text("utf-8")).items()
    }


def find(name: str, model_id: str | None = None) -> CatalogueModel | None:
    """Return the model that an engine knows by `model_id`, else that of this name.

    vLLM's names have no dots: `qwen2-5-7b` is `qwen2.5-7b`.
    """
    known = catalogue()
    by_id = (each for each in known.values() if any(offer.id == model_id for offer in each.offers))
    if model_id is not None and (found := next(by_id, None)):
        return found
    return known.get(name) or next((each for key, each in known.items() if key.replace(".", "-") == name), None)


def search(word: str) -> list[CatalogueModel]:
    """Return the models whose name, repository or tag holds `word`, else those with the nearest names."""
    known, wanted = catalogue(), word.lower()
    found = [
        model
        for model in known.values()
        if wanted in " ".join((model.name, model.source, *(offer.id for offer in model.offers))).lower()
    ]
    return found or [known[name] for name in difflib.get_close_matches(wanted, known, n=5, cutoff=0.5)]


def room(offer: Offer, pool_name: str, pool: Mapping[str, Any], *, cache_gib: float, gpus: int = 1) -> Room | None:
    """Return whether an offer runs on a pool, as the file has it; None for a pool whose GPU is not known."""
    size = _size(pool)
    slices = pool.get("time_slices", 1)
    if size is None or not isinstance(slices, int) or slices < 1:
        return None
    needed = offer.weights_gib + cache_gib + RUNTIME_GIB * gpus
    usable = gpus * size.gpu.memory_gib * USABLE_SHARE[offer.engine] / slices
    capability = vllm_statements().capabilities.get(offer.quantization, 0) if offer.engine == "vllm" else 0
    problem = ""
    if size.gpu.compute_capability < capability:
        problem = f"{size.gpu.model} does not run {offer.quantization}"
    elif gpus > size.gpus:
        problem = f"a node has {size.gpus} GPUs"
    elif needed > usable:
        problem = f"needs {needed:.1f} of {usable:.1f} GiB"
    return Room(pool=pool_name, needed_gib=needed, usable_gib=usable, problem=problem)


def _size(pool: Mapping[str, Any]) -> GpuSize | None:
    """Return what a node of a pool has; None where it is not known, or not said rightly."""
    try:
        return GpuPoolSettings.model_validate({key: pool[key] for key in ("vm_size", "gpu") if key in pool}).size
    except ValidationError:
        return None


def completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment file's content with what the catalogue knows of the models that are named alone.

    What is of the wrong kind stays, and is refused where everything is checked.
    """
    models, pools = data.get("models"), _pools(data)
    if not isinstance(models, list):
        return dict(data)
    return {**data, "models": [_completed(item, pools) if isinstance(item, dict) else item for item in models]}


def _pools(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    cluster = data.get("cluster")
    pools = cluster.get("gpu_pools") if isinstance(cluster, dict) else None
    return (
        {str(name): pool for name, pool in pools.items() if isinstance(pool, dict)} if isinstance(pools, dict) else {}
    )


def _completed(item: dict[str, Any], pools: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    name, model_id = item.get("name"), item.get("id")
    if all(key in item for key in DECIDED_BY_A_NAME) or not isinstance(name, str):
        return _with_pool(item, pools)
    known = find(name, model_id if isinstance(model_id, str) else None)
    if known is None:
        return _with_pool(item, pools)
    offers = [offer for offer in known.offers if _as_written(offer, item)]
    context = item.get("context_tokens", known.context_tokens)
    per_token = item.get("kv_cache_kib_per_token", known.kv_cache_kib_per_token)
    if not offers or not isinstance(context, int) or not isinstance(per_token, int | float):
        return _with_pool(item, pools)
    offer, pool = _chosen(item, offers, pools, context * per_token / KIB_PER_GIB)
    filled: dict[str, Any] = {
        "engine": offer.engine,
        "id": offer.id,
        "quantization": offer.quantization,
        "weights_gib": offer.weights_gib,
        "kv_cache_kib_per_token": known.kv_cache_kib_per_token,
    }
    if offer.revision:
        filled["revision"] = offer.revision
    if known.context_tokens != CONTEXT_TOKENS:
        filled["context_tokens"] = known.context_tokens
    if pool:
        filled["pool"] = pool
    return filled | item


def _as_written(offer: Offer, item: Mapping[str, Any]) -> bool:
    # vLLM's name is that of a Service, which has no dots.
    if offer.engine == "vllm" and "." in str(item.get("name")) and "engine" not in item:
        return False
    return all(getattr(offer, key) == item[key] for key in ("engine", "id", "quantization") if key in item)


def _chosen(
    item: Mapping[str, Any], offers: list[Offer], pools: Mapping[str, dict[str, Any]], cache_gib: float
) -> tuple[Offer, str | None]:
    """Return the first offer that a pool can serve, with the pool; the first of all where none can."""
    named = item.get("pool")
    several = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    allowed = {named: pools.get(named, {})} if isinstance(named, str) else dict(pools)
    gpus = item.get("gpus", 1)

    def fits(offer: Offer, name: str, pool: Mapping[str, Any]) -> bool:
        found = room(offer, name, pool, cache_gib=cache_gib, gpus=gpus if isinstance(gpus, int) else 1)
        return found is not None and found.fits

    for offer in offers:
        if several:
            # It may run on any of them.
            if all(fits(offer, name, pools.get(name, {})) for name in several):
                return offer, several[0]
            continue
        for name, pool in allowed.items():
            if fits(offer, name, pool):
                return offer, name
    return offers[0], next(iter(several or allowed), None)


def _with_pool(item: dict[str, Any], pools: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry with the environment's pool where there is only one."""
    return {"pool": next(iter(pools)), **item} if "pool" not in item and len(pools) == 1 else item


def unknown_names(data: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield place and name of each entry that neither says what is served nor has a known name, and what to write."""
    models = data.get("models")
    for index, item in enumerate(models if isinstance(models, list) else ()):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            continue
        missing = [key for key in DECIDED_BY_A_NAME if key not in item]
        model_id = item.get("id")
        known = find(item["name"], model_id if isinstance(model_id, str) else None)
        if not missing or (known and any(_as_written(offer, item) for offer in known.offers)):
            continue
        if known:
            has = ", ".join(f"{offer.engine} {offer.quantization}" for offer in known.offers)
            problem = f"is in helm/models.yaml as {has} alone"
        else:
            near = ", ".join(model.name for model in search(item["name"])[:3])
            problem = f"is no name of helm/models.yaml{f'; did you mean {near}?' if near else ''}"
        yield index, item["name"], f"{problem}; otherwise write {', '.join(missing)} as well"
