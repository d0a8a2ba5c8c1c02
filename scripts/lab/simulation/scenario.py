"""One served model of an environment, in the terms of the simulation."""

from collections.abc import Callable
from dataclasses import dataclass

from stacks.platform.components.serving.engines import engines
from stacks.platform.components.serving.scaling import scaling
from stacks.settings import Settings
from stacks.settings.cluster import GpuPoolSettings, Priority
from stacks.settings.model_catalogue.entries import KIB_PER_GIB, RUNTIME_GIB, USABLE_SHARE
from stacks.settings.models import Engine, ModelSettings
from stacks.settings.serving import WarmHours

from .assumptions import Assumptions
from .policies import Hours, hours_of
from .traffic import Request

GB_PER_GIB = 1.073741824


class ScenarioError(Exception):
    """A model that cannot be simulated; the message says why and what to do."""


@dataclass(frozen=True)
class PoolTerms:
    """One node pool: its limits, what a node costs, and what Azure does to it."""

    usd_per_node_hour: float
    gpus_per_node: int
    slots_per_node: int
    """Replicas that one node takes."""
    min_nodes: int
    max_nodes: int
    evictions_per_node_hour: float
    gaps_per_hour: float = 0.0
    """Gaps of capacity, in which Azure gives it no node."""
    gap_hours: float = 1.0
    """Their mean length."""


@dataclass(frozen=True)
class Scenario:
    """What is served, by what, at which limits."""

    model: str
    vm_size: str
    usd_per_node_hour: float
    gpus_per_node: int
    slots_per_node: int
    """Replicas that one node takes."""
    min_nodes: int
    max_nodes: int
    min_replicas: int
    max_replicas: int
    cooldown_s: float
    hold_s: float
    """How long a request waits for an engine that starts."""
    answer_s: float
    """How long a request waits for its turn once an engine is there."""
    most_requests: int
    """Requests at the same time, held and served; the next one is refused."""
    concurrency: int
    """Requests that one replica computes at once."""
    concurrency_target: float
    """Requests per replica, held and served, that the autoscaler aims at."""
    waiting_target: float | None
    """Requests waiting inside one engine that the autoscaler aims at; None without that trigger."""
    warm: Hours
    service_s: Callable[[Request], float]
    """Seconds from the start of a request's computation to the end of its answer."""
    image_pull_s: float
    load_s: float
    """Engine start and reading of the weights."""
    evictions_per_node_hour: float
    gaps_per_hour: float = 0.0
    gap_hours: float = 1.0
    later: tuple[PoolTerms, ...] = ()
    """Pools that it goes to while the first gives no node."""
    return_s: float = 3600.0
    """How often a replica on a later pool has a node of the first asked for."""

    @property
    def pools(self) -> tuple[PoolTerms, ...]:
        """All pools, the preferred first."""
        first = PoolTerms(
            self.usd_per_node_hour,
            self.gpus_per_node,
            self.slots_per_node,
            self.min_nodes,
            self.max_nodes,
            self.evictions_per_node_hour,
            self.gaps_per_hour,
            self.gap_hours,
        )
        return (first, *self.later)


def model_of(environment: str, models: tuple[ModelSettings, ...], name: str | None) -> ModelSettings:
    """Return the model of that name; without a name the first on vLLM, else the first. Raises ScenarioError."""
    if not models:
        raise ScenarioError(f"environment {environment} serves no model; list one under models")
    if name is None:
        return next((model for model in models if model.engine is Engine.VLLM), models[0])
    found = next((model for model in models if model.name == name), None)
    if found is None:
        known = ", ".join(model.name for model in models)
        raise ScenarioError(f"environment {environment} serves no model {name}; it serves {known}")
    return found


def tokens_per_second(model: ModelSettings, gpu: str, assumptions: Assumptions) -> float:
    """Return how fast one stream of a full batch is answered.

    A lone stream reads all weights once per token, so it is as fast as that part of the memory bandwidth allows; in a
    batch, streams share.
    """
    service = assumptions.service
    alone = service.decode_efficiency * service.gpu_memory_gb_per_s[gpu] * model.gpus / (model.weights_gib * GB_PER_GIB)
    return alone * service.stream_share_at_full_batch[model.engine]


def batch(model: ModelSettings, gpu_memory_gib: float, most: int) -> int:
    """Return how many full conversations fit beside the weights, at least 1 and at most `most`."""
    room = gpu_memory_gib * USABLE_SHARE[model.engine] - model.weights_gib - RUNTIME_GIB * model.gpus
    cache_gib = model.context_tokens * model.kv_cache_kib_per_token / KIB_PER_GIB
    return max(1, min(most, int(room / cache_gib)))


def varied(
    settings: Settings, model: ModelSettings, **changes: int | tuple[str, ...]
) -> tuple[Settings, ModelSettings]:
    """Return the settings, and the model in them, with changed fields of the model and of all that share its engine."""
    shared = next(engine.models for engine in engines(settings.models, settings.cluster) if model in engine.models)
    changed = {each.name: each.model_copy(update=changes) for each in shared}
    models = tuple(changed.get(each.name, each) for each in settings.models)
    return settings.model_copy(update={"models": models}), changed[model.name]


def scenario(settings: Settings, model: ModelSettings, assumptions: Assumptions) -> Scenario:
    """Return the scenario of one model: sizes and limits from the environment, speeds and prices as assumed.

    What scales it are the values that the chart `scaling` gets. An Ollama is taken to serve this model alone, and
    every pool to answer as fast as the first.
    Raises ScenarioError when the price of the nodes is not known.
    """
    pool = settings.cluster.gpu_pools[model.first_pool]
    size = pool.known_size
    first, *later = (_terms(settings.cluster.gpu_pools[name], model, assumptions) for name in model.pool)
    memory_gib = model.gpus * size.gpu.memory_gib / pool.time_slices
    concurrency = batch(model, memory_gib, assumptions.service.concurrency[model.engine])
    rate = tokens_per_second(model, size.gpu.model, assumptions)
    speedup = assumptions.service.prefill_speedup
    start = assumptions.start
    chart = scaling(settings)
    scaler = chart["engines"][
        next(engine.name for engine in engines(settings.models, settings.cluster) if model in engine.models)
    ]
    return Scenario(
        model=model.name,
        vm_size=pool.vm_size,
        usd_per_node_hour=first.usd_per_node_hour,
        gpus_per_node=first.gpus_per_node,
        slots_per_node=first.slots_per_node,
        min_nodes=first.min_nodes,
        max_nodes=first.max_nodes,
        min_replicas=scaler["min"],
        max_replicas=scaler["max"],
        cooldown_s=scaler["idleSeconds"],
        hold_s=chart["holdSeconds"],
        answer_s=chart["answerSeconds"],
        most_requests=settings.serving.waiting_requests,
        concurrency=concurrency,
        concurrency_target=scaler["concurrency"],
        waiting_target=scaler["waiting"]["perReplica"] if "waiting" in scaler else None,
        warm=hours_of(settings.serving.warm_hours or WarmHours()),
        service_s=lambda request: (request.prompt_tokens / speedup + request.answer_tokens) / rate,
        image_pull_s=start.image_gib[model.engine] / start.image_pull_gib_per_s,
        load_s=start.engine_init_s[model.engine] + model.weights_gib / start.weights_read_gib_per_s,
        evictions_per_node_hour=first.evictions_per_node_hour,
        gaps_per_hour=first.gaps_per_hour,
        gap_hours=first.gap_hours,
        later=tuple(later),
        return_s=settings.serving.spill_over.return_minutes * 60.0,
    )


def _terms(pool: GpuPoolSettings, model: ModelSettings, assumptions: Assumptions) -> PoolTerms:
    size, spot = pool.known_size, pool.priority is Priority.SPOT
    price = assumptions.price.usd_per_hour.get(pool.vm_size)
    if price is None:
        raise ScenarioError(f"no price is assumed for {pool.vm_size}; give --set price.usd_per_hour.{pool.vm_size}=USD")
    return PoolTerms(
        usd_per_node_hour=price * (assumptions.price.spot_share if spot else 1),
        gpus_per_node=size.gpus,
        slots_per_node=size.gpus * pool.time_slices // model.gpus,
        min_nodes=pool.min_nodes,
        max_nodes=pool.max_nodes,
        evictions_per_node_hour=assumptions.spot.evictions_per_node_hour if spot else 0.0,
        gaps_per_hour=assumptions.spot.gaps_per_week / 168 if spot else 0.0,
        gap_hours=assumptions.spot.gap_hours,
    )
