"""Values of the own chart that looks after models with several pools."""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.components.serving.engines import SERVING, ServingEngine, engines
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.models import Engine, ModelSettings
from stacks.settings.serving import ServingSettings

RELEASE = "spill-over"
"""Name of the release, its namespace and its objects."""
JOB_IMAGE = "spill-over/python"
ENGINE_IMAGES = {Engine.VLLM: "vllm/engine", Engine.OLLAMA: "ollama/server"}


def with_several_pools(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> tuple[ServingEngine, ...]:
    """The engines that may run on more than one pool."""
    return tuple(engine for engine in engines(models, cluster) if len(engine.pool_names) > 1)


def spill_over(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the chart: each engine with its pools, what a pod of it asks for, and the budget."""
    serving, several = settings.serving, with_several_pools(settings.models, settings.cluster)
    return {
        "image": str(images[JOB_IMAGE]),
        "engines": {"namespace": SERVING},
        "hours": serving.spill_over.node_hours_per_month,
        "returnMinutes": serving.spill_over.return_minutes,
        "shared": sorted(_shared(settings)),
        "pools": {engine.name: _engine(serving, images, engine) for engine in several},
    }


def _engine(serving: ServingSettings, images: Mapping[str, Image], engine: ServingEngine) -> dict[str, Any]:
    leader = engine.leader
    return {
        "order": list(engine.pool_names),
        "image": str(images[ENGINE_IMAGES[engine.engine]]),
        "gpus": leader.gpus,
        "cpu": f"{serving.cpu_per_gpu * leader.gpus:g}",
        "memory": f"{serving.memory_gib_per_gpu * leader.gpus + leader.kv_offload_gib}Gi",
    }


def _shared(settings: Settings) -> Iterator[str]:
    """Yield pools whose nodes are there for others as well: only those that a moved engine runs on are counted."""
    first = {model.first_pool for model in settings.models}
    for name, pool in settings.cluster.gpu_pools.items():
        if name in first or pool.min_nodes or name == settings.opik.guardrails_pool:
            yield name
