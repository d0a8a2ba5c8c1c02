"""What runs on the platform: chat, LLM gateway, tracing and the served models."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from .types import Guid, Model, PoolName


class IdentitySettings(Model):
    """The Entra application that people log in with."""

    manage: bool = True
    """Create application, service principal and redirect URIs; `false` without directory rights."""
    client_id: Guid | None = None
    """Client id of the application when `manage` is false."""
    application_object_id: Guid | None = None
    """Object id of the application when `manage` is false."""
    access_group_object_id: Guid | None = None
    """Existing Entra group whose members may use the platform; left out, a group is created."""


class ChatSettings(Model):
    """Open WebUI."""

    enabled: bool = True
    replicas: Annotated[int, Field(ge=1, le=50)] = 2
    max_replicas: Annotated[int, Field(ge=1, le=50)] = 3
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    """Connections each replica keeps open, for data and vectors each."""
    database_pool_overflow: Annotated[int, Field(ge=0, le=200)] = 10
    """Connections each replica may open on top, for data and vectors each."""


class GatewayServiceSettings(Model):
    """LiteLLM, the one OpenAI-compatible API in front of the engines."""

    enabled: bool = True
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    max_replicas: Annotated[int, Field(ge=1, le=20)] = 2
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10


class OpikSettings(Model):
    """Opik, tracing and evaluation."""

    enabled: bool = True


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


class ModelSettings(Model):
    """One served model."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?$")]
    """Name that users and the gateway see."""
    engine: Engine
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{1,120}$")]
    """Ollama tag or Hugging Face repository."""
    revision: str | None = None
    """Hugging Face revision; vLLM only."""
    pool: PoolName
    """GPU pool that the model runs on."""
    quantization: Quantization = Quantization.FP16
    weights_gib: Annotated[float, Field(gt=0, le=2000)]
    """Size of the weights in GPU memory."""
    context_tokens: Annotated[int, Field(ge=512, le=2_000_000)] = 8192
    kv_cache_kib_per_token: Annotated[float, Field(gt=0, le=4096)] = 128
    """Key-value cache per token: 2 x layers x KV heads x head size x bytes, in KiB."""
    gpus: Annotated[int, Field(ge=1, le=8)] = 1
    """GPUs of one replica."""
    min_replicas: Annotated[int, Field(ge=0, le=100)] = 0
    max_replicas: Annotated[int, Field(ge=1, le=100)] = 1
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """Idle time after which the model is unloaded or its replicas go to zero."""
