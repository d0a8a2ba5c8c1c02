"""The engines of an environment, as everything around them sees them: names, addresses, limits of their replicas.

One Ollama serves all Ollama models of a GPU pool, or of the same list of pools; every vLLM model has an engine of its
own. Callers never talk to an engine but to the front in the namespace `serving`, which answers what needs no GPU and
holds the rest.
"""

from dataclasses import dataclass

from stacks.settings.cluster import ClusterSettings, GpuPoolSettings
from stacks.settings.models import Engine, ModelSettings
from stacks.settings.serving import ServingSettings

SERVING = "serving"
SCALING = "scaling"
"""Namespace of KEDA's HTTP add-on."""

ENGINE_KEYS = "serving-keys"
"""Secret with the key of the engines, and the hub's token where one is there."""

OLLAMA_PORT = 11434
VLLM_PORT = 8000
PROXY = "serving-front"
PROXY_PORT = 8080
VLLM = "vllm"
"""Chart of vLLM; a release of it bears its model's name behind this one."""
VLLM_SEQUENCES = 256
"""Requests that one vLLM computes at once; further ones wait in its queue."""
OLLAMA_PARALLEL = 1
"""Answers that one Ollama writes at once with each model; each takes a key-value cache of its own."""

INTERCEPTOR = "keda-add-ons-http-interceptor-proxy"
INTERCEPTOR_PORT = 8080
EXTERNAL_SCALER = "keda-add-ons-http-external-scaler"
EXTERNAL_SCALER_PORT = 9090


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingEngine:
    """One Deployment that serves models, behind one Service."""

    name: str
    """Also the first part of its path at the front, and of its host at the interceptor."""
    engine: Engine
    models: tuple[ModelSettings, ...]
    deployment: str
    service: str
    service_port: int
    pool_names: tuple[str, ...]
    """Pools that it runs on, the preferred first; one for most engines."""
    pools: tuple[GpuPoolSettings, ...]

    @property
    def leader(self) -> ModelSettings:
        """The model that stands for all in what they share; the settings keep them equal there."""
        return self.models[0]

    def served_id(self, model: ModelSettings) -> str:
        """Name under which the engine itself knows a model.

        One Ollama has one context for whatever says none itself: a model with another one has a tag of its own, made
        from its weights by the Job that brings them.
        """
        if self.engine is Engine.VLLM:
            return model.name
        if model.context_tokens == self.leader.context_tokens:
            return model.id
        return f"{model.id}{'-' if ':' in model.id else ':'}{model.context_tokens}ctx"

    @property
    def scales_to_zero(self) -> bool:
        """Whether it may be at zero replicas."""
        return self.leader.min_replicas == 0

    @property
    def host(self) -> str:
        """Host by which the interceptor knows it."""
        return f"{self.name}.{SERVING}"

    @property
    def computes(self) -> int:
        """Requests that it works on at the same time with all of its replicas; what comes on top waits."""
        each = VLLM_SEQUENCES if self.engine is Engine.VLLM else OLLAMA_PARALLEL * len(self.models)
        return each * self.leader.max_replicas

    def most_requests(self, serving: ServingSettings) -> int:
        """Requests that it may have at the same time: those that it computes, and for each model those that wait."""
        return self.computes + serving.waiting_requests * len(self.models)

    @property
    def base_url(self) -> str:
        """Address for callers in the cluster; Ollama's own API below it, the OpenAI-compatible one below `/v1`."""
        return f"http://{PROXY}.{SERVING}.svc.cluster.local:{PROXY_PORT}/{self.name}"


def ollama_engines(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> tuple[ServingEngine, ...]:
    """The Ollama of every pool that Ollama models prefer."""
    by_pool: dict[str, list[ModelSettings]] = {}
    for model in models:
        if model.engine is Engine.OLLAMA:
            by_pool.setdefault(model.first_pool, []).append(model)
    return tuple(
        ServingEngine(
            name=f"ollama-{pool}",
            engine=Engine.OLLAMA,
            models=tuple(served),
            deployment=f"ollama-{pool}",
            service=f"ollama-{pool}",
            service_port=OLLAMA_PORT,
            pool_names=served[0].pool,
            pools=_pools(served[0], cluster),
        )
        for pool, served in by_pool.items()
    )


def vllm_engines(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> tuple[ServingEngine, ...]:
    """The vLLM of every vLLM model."""
    return tuple(
        ServingEngine(
            name=f"{VLLM}-{model.name}",
            engine=Engine.VLLM,
            models=(model,),
            deployment=f"{VLLM}-{model.name}",
            service=f"{VLLM}-{model.name}",
            service_port=VLLM_PORT,
            pool_names=model.pool,
            pools=_pools(model, cluster),
        )
        for model in models
        if model.engine is Engine.VLLM
    )


def _pools(model: ModelSettings, cluster: ClusterSettings) -> tuple[GpuPoolSettings, ...]:
    return tuple(cluster.gpu_pools[name] for name in model.pool)


def engines(models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> tuple[ServingEngine, ...]:
    """Every engine of the environment."""
    return (*ollama_engines(models, cluster), *vllm_engines(models, cluster))


def engine_of(model: ModelSettings, models: tuple[ModelSettings, ...], cluster: ClusterSettings) -> ServingEngine:
    """The engine that serves `model`, which is one of the environment's."""
    return next(engine for engine in engines(models, cluster) if model in engine.models)
