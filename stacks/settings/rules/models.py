"""Served models as they are listed: names, pools, engines."""

import re
from collections.abc import Iterator

from ..chat import ChatSettings
from ..cluster import ClusterSettings
from ..file.errors import Key
from ..llm_gateway import GatewayServiceSettings
from ..model_catalogue.parsers import tool_parser
from ..models import Engine, ModelSettings, Quantization
from .base import Finding

KNOWN_TO_OLLAMA = {Quantization.Q4, Quantization.Q8, Quantization.FP16, Quantization.BF16, Quantization.MXFP4}
KNOWN_TO_VLLM = set(Quantization) - {Quantization.Q4, Quantization.Q8}
FORMAT_IN_NAME = {
    "awq": Quantization.AWQ,
    "gptq": Quantization.GPTQ,
    "fp8": Quantization.FP8,
    "bf16": Quantization.BF16,
    "fp16": Quantization.FP16,
}
"""Words that publishers put into a repository's name for the format of its weights."""
COMMIT = re.compile(r"[0-9a-f]{40}")
OLLAMA_DIGEST = re.compile(r"[0-9a-f]{12,64}")
VLLM_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def formats_are_those_of_the_repositories(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """The format is the one that the repository's name tells, and one that vLLM serves from there."""
    for index, model in enumerate(models):
        if model.engine is not Engine.VLLM or model.quantization not in KNOWN_TO_VLLM:
            continue
        words = set(re.split(r"[^a-z0-9]+", model.id.lower()))
        if "gguf" in words:
            yield Finding(
                ("models", index, "id"),
                "holds GGUF files, which vllm is not started with here; name the repository of the original weights, or"
                " serve it by ollama",
            )
            continue
        named = {kind for word, kind in FORMAT_IN_NAME.items() if word in words}
        if named and model.quantization not in named:
            told = " or ".join(sorted(named))
            yield Finding((*("models", index), "quantization"), f"is not what {model.id} says of itself; write {told}")


def models_can_be_reached(
    models: tuple[ModelSettings, ...], chat: ChatSettings, gateway: GatewayServiceSettings
) -> Iterator[Finding]:
    """Somebody can use what is served."""
    if models and not chat.enabled and not gateway.enabled:
        yield Finding(
            ("models",),
            "are served, but neither chat nor gateway is enabled, which alone reach them; enable one",
        )


def models_are_listed_once(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """Every model has a name of its own."""
    first: dict[str, int] = {}
    for index, model in enumerate(models):
        if first.setdefault(model.name, index) != index:
            yield Finding(("models", index, "name"), f"is also the name of models[{first[model.name]}]; rename one")
    taken = set(first)
    for index, model in enumerate(models):
        for place, adapter in enumerate(model.lora):
            if adapter.name in taken:
                yield Finding(("models", index, "lora", place, "name"), "is the name of another model; rename one")
            taken.add(adapter.name)


def models_have_a_pool(cluster: ClusterSettings, models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """The pools that a model names exist."""
    pools = ", ".join(cluster.gpu_pools) or "there is none"
    for index, model in enumerate(models):
        for name in model.pool:
            if name not in cluster.gpu_pools:
                which = f"lists {name}, which is" if model.later_pools else "is"
                yield Finding(("models", index, "pool"), f"{which} no pool of cluster.gpu_pools ({pools})")


def models_suit_their_engine(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """Id, revision, quantization and name are ones that the engine understands."""
    for index, model in enumerate(models):
        key: Key = ("models", index)
        known = KNOWN_TO_VLLM if model.engine is Engine.VLLM else KNOWN_TO_OLLAMA
        if model.quantization not in known:
            choices = ", ".join(sorted(known))
            yield Finding((*key, "quantization"), f"does not run on {model.engine}; it takes {choices}")
        if model.engine is Engine.VLLM:
            if model.id.count("/") != 1 or ":" in model.id:
                yield Finding((*key, "id"), "must be a Hugging Face repository such as Qwen/Qwen3-8B-AWQ for vllm")
            if not VLLM_NAME.fullmatch(model.name):
                yield Finding(
                    (*key, "name"),
                    "must be at most 40 letters, digits and dashes for vllm, which names a Service by it",
                )
            if model.gpus not in {1, 2, 4, 8}:
                yield Finding((*key, "gpus"), "must be 1, 2, 4 or 8 for vllm, which splits attention heads evenly")
        elif model.revision and not OLLAMA_DIGEST.fullmatch(model.revision):
            yield Finding(
                (*key, "revision"),
                "must be a digest for ollama, 12 to 64 of the digits 0-9a-f as `ollama list` shows them under ID",
            )


def weights_are_a_commit_where_an_uptime_is_paid_for(
    cluster: ClusterSettings, models: tuple[ModelSettings, ...]
) -> Iterator[Finding]:
    """Production, which `cluster.tier` tells by its uptime guarantee, serves the weights that somebody tried."""
    if cluster.tier == "Free":
        return
    for index, model in not_pinned(models):
        yield Finding(
            ("models", index, "revision"),
            f"must be a commit of {model.id}, 40 of the digits 0-9a-f, since cluster.tier is {cluster.tier}: a branch"
            f" or tag moves, and a new store would serve other weights."
            f" huggingface.co/{model.id}/commits/main lists them",
        )


def not_pinned(models: tuple[ModelSettings, ...]) -> Iterator[tuple[int, ModelSettings]]:
    """Yield vLLM's models whose weights may become others, with their place in the file."""
    for index, model in enumerate(models):
        if model.engine is Engine.VLLM and not COMMIT.fullmatch(model.revision or ""):
            yield index, model


def tools_suit_their_engine(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """A parser belongs to vLLM, which calls no tools without one."""
    for index, model in enumerate(models):
        key: Key = ("models", index)
        if model.tool_parser and model.engine is not Engine.VLLM:
            yield Finding(
                (*key, "tool_parser"), "applies to vllm only; Ollama reads tool calls by the model's template"
            )
        elif model.tool_parser and model.tools is False:
            yield Finding((*key, "tools"), "is false beside a tool_parser; remove one of them")
        elif model.tools and model.engine is Engine.VLLM and tool_parser(model) is None:
            yield Finding((*key, "tools"), "needs tool_parser, since no parser is known for this family; name one")


def replica_counts_are_ordered(models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """A model's maximum is at least its minimum."""
    for index, model in enumerate(models):
        if model.max_replicas < model.min_replicas:
            yield Finding(("models", index, "max_replicas"), f"must be at least min_replicas ({model.min_replicas})")


RULES = (
    models_are_listed_once,
    models_have_a_pool,
    models_suit_their_engine,
    formats_are_those_of_the_repositories,
    models_can_be_reached,
    weights_are_a_commit_where_an_uptime_is_paid_for,
    tools_suit_their_engine,
    replica_counts_are_ordered,
)
