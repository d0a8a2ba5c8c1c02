"""Served models, and what serves them."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .types import Model, PoolOrder, text


class Engine(StrEnum):
    """What serves a model."""

    OLLAMA = "ollama"
    VLLM = "vllm"


class Quantization(StrEnum):
    """How the weights are stored, which decides the GPUs they run on."""

    FP16 = "fp16"
    BF16 = "bf16"
    FP8 = "fp8"
    AWQ = "awq"
    GPTQ = "gptq"
    Q4 = "q4"
    Q8 = "q8"
    MXFP4 = "mxfp4"


ServedName = Annotated[
    str,
    text(
        r"^[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?$",
        "1 to 50 lower-case letters, digits, dots and dashes that begin and end with a letter or digit",
    ),
]
Repository = Annotated[
    str,
    text(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$", "a Hugging Face repository"),
]
Commit = Annotated[str, text(r"^[0-9a-f]{40}$", "a commit of the repository, 40 of the digits 0-9a-f")]
ParserName = Annotated[str, text(r"^[a-z0-9][a-z0-9_-]{0,49}$", "the name of one of vLLM's parsers such as hermes")]
EngineArgument = Annotated[
    str, text(r"^--?[a-z][a-z0-9-]*(=[ -~]{1,2000})?$", 'one argument such as "--kv-cache-dtype=fp8"')
]


class LoraAdapter(Model):
    """A LoRA adapter of a model, served beside it under a name of its own."""

    name: ServedName
    """Name that users and the LLM gateway see."""
    id: Repository
    """Hugging Face repository of the adapter."""
    revision: Commit
    """Commit of it, which is downloaded beside the model's weights."""
    rank: Literal[8, 16, 32, 64, 128, 256] = 16
    """Its rank (`r` in its adapter_config.json), or the next number above."""


class SpeculativeSettings(Model):
    """Speculative decoding: something cheap guesses tokens, the model confirms several at once."""

    method: Literal["ngram", "draft_model", "eagle", "eagle3", "mtp"]
    """What guesses: `ngram` the prompt's own words, `mtp` the model's own heads, the others a further model."""
    tokens: Annotated[int, Field(ge=1, le=16)] = 4
    """Tokens guessed at once."""
    id: Repository | None = None
    """Hugging Face repository of the guessing model; for `draft_model`, `eagle` and `eagle3`."""
    revision: Commit | None = None
    """Commit of it."""
    weights_gib: Annotated[float, Field(ge=0, le=200)] = 0
    """Size of its weights in GPU memory, beside those of the model."""


def _a_name_is_enough(schema: dict[str, Any]) -> None:
    """Files may leave out what the model catalogue fills in before they are checked."""
    schema["required"] = ["name"]


class ModelSettings(Model):
    """One served model. A name of `helm/models.yaml` is enough: every other key is then known, and may be given."""

    model_config = ConfigDict(json_schema_extra=_a_name_is_enough)

    name: ServedName
    """Name that users and the LLM gateway see; for vLLM without dots."""
    engine: Engine
    """What serves it: `ollama` shares one GPU between many models, `vllm` gives one model all of it. Left out
    with a name of the catalogue, as the three below: what it says."""
    id: Annotated[
        str,
        text(r"^[A-Za-z0-9][A-Za-z0-9._:/-]{1,120}$", "an Ollama tag or a Hugging Face repository"),
    ]
    """Ollama tag such as `llama3.1:8b`, or Hugging Face repository such as `Qwen/Qwen3-8B-AWQ`."""
    revision: Annotated[str, text(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", "a branch, tag or commit")] | None = None
    """Hugging Face revision, a commit with `cluster.tier` Standard or Premium; for Ollama the tag's digest. Another one
    is downloaded again."""
    pool: PoolOrder
    """GPU pool that the model runs on; left out, the first that has room for it. A list such as `[spot, regular]` is an
    order: while Azure has no capacity for one, or evicts its node, the model runs on the next
    (`serving.spill_over`)."""
    quantization: Quantization = Quantization.FP16
    """How the weights are stored, which decides the GPUs they run on."""
    weights_gib: Annotated[float, Field(gt=0, le=2000)]
    """Size of the weights in GPU memory."""
    context_tokens: Annotated[int, Field(ge=512, le=2_000_000)] = 8192
    """Longest conversation, prompt and answer together; its key-value cache has to fit beside the weights."""
    kv_cache_kib_per_token: Annotated[float, Field(gt=0, le=4096)] = 128
    """Key-value cache per token: 2 x layers x KV heads x head size x bytes, in KiB."""
    tools: bool | None = None
    """Whether the model calls tools, without which the chat offers it none; left out, what is known of its family."""
    tool_parser: ParserName | None = None
    """Parser with which vLLM reads tool calls out of answers; vLLM only; left out, what is known of the model's family.
    Names: https://docs.vllm.ai/en/latest/features/tool_calling"""
    reasoning_parser: ParserName | None = None
    """Parser with which vLLM tells a model's thoughts from its answer; vLLM only; `none` leaves thoughts in the answer;
    left out, what is known of the model's family. Names: https://docs.vllm.ai/en/latest/features/reasoning_outputs"""
    chat_template: Annotated[str, Field(min_length=1, max_length=65_536)] | None = None
    """Text of a Jinja template that vLLM uses instead of the model's own, as a YAML block (`|`); vLLM only."""
    lora: Annotated[tuple[LoraAdapter, ...], Field(max_length=16)] = ()
    """LoRA adapters that the engine serves beside the model; vLLM only."""
    speculative: SpeculativeSettings | None = None
    """Speculative decoding, which answers faster where few ask at once; vLLM only."""
    kv_offload_gib: Annotated[int, Field(ge=0, le=1024)] = 0
    """Main memory into which vLLM moves the key-value cache of conversations that pause; on top of
    `serving.memory_gib_per_gpu`; vLLM only."""
    extra_args: Annotated[tuple[EngineArgument, ...], Field(max_length=50)] = ()
    """Further arguments of `vllm serve`, each as `--name=value`; those that the platform sets are refused; vLLM only.
    Names: https://docs.vllm.ai/en/stable/cli/serve"""
    gpus: Annotated[int, Field(ge=1, le=8)] = 1
    """GPUs of one replica."""
    min_replicas: Annotated[int, Field(ge=0, le=100)] = 0
    """Replicas that stay loaded; zero frees the GPU after `idle_minutes`."""
    max_replicas: Annotated[int, Field(ge=1, le=100)] = 1
    """Replicas under load; each takes `gpus` of the pool."""
    usd_per_million_tokens: Annotated[float, Field(ge=0, le=10_000)] = 2.0
    """Price at which the LLM gateway charges a team's budget, for prompt and answer alike. An accounting price: the GPU
    costs what it costs; `llmctl simulate scaling` shows USD per thousand answers."""
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """Idle time after which the model is unloaded or its replicas go to zero."""
    fallback: ServedName | None = None
    """Name of one of `cloud_models` that answers where this model fails: it crashes, does not start in
    `serving.hold_minutes`, or too many wait. Only callers that may use that one get its answer; others get the error.
    """

    @property
    def first_pool(self) -> str:
        """The pool that it prefers, the only one of most models."""
        return self.pool[0]

    @property
    def later_pools(self) -> tuple[str, ...]:
        """The pools that it moves to while the first has no node for it."""
        return self.pool[1:]

    @property
    def served_names(self) -> tuple[str, ...]:
        """The names under which it answers: its own, then those of its adapters."""
        return (self.name, *(adapter.name for adapter in self.lora))
