"""What runs on the platform: chat, LLM gateway, tracing and the served models."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .one_way import GIVEN, DecidedOnce, NoWayBack
from .types import Model, ObjectId, PoolName, Unique, text

_OWN_GROUP = NoWayBack(
    stack="identity",
    why="the group that the platform made would be deleted; add its members there",
    order=(GIVEN, ""),
    only_while=(("identity.manage", "true"),),
)


class IdentitySettings(Model):
    """The Entra application that people log in with."""

    manage: Annotated[
        bool,
        NoWayBack(
            stack="identity",
            why="the application that people log in with would be deleted",
            order=("false", "true"),
        ),
    ] = True
    """Create application, service principal and redirect URIs; `false` without directory rights."""
    client_id: ObjectId | None = None
    """Client id of the application when `manage` is false."""
    application_object_id: ObjectId | None = None
    """Object id of the application when `manage` is false."""
    access_group_object_id: Annotated[ObjectId | None, _OWN_GROUP] = None
    """Existing Entra group whose members may use the platform; left out, a group is created."""
    assignment_required: bool = True
    """Entra itself refuses everybody who is not in the access group or an operator; assigning groups to
    applications needs Entra ID P1. `false` leaves the refusal to the applications, by the group claim."""
    admin_consent: bool = True
    """Give the application an administrator's consent to openid, profile, email, offline_access and User.Read, without
    which nobody can log in; `false` where the deployment lacks the right: an administrator then follows the link that
    `llmctl deploy` prints."""
    access_group_owner_ids: Annotated[tuple[ObjectId, ...], Unique, Field(max_length=18)] = ()
    """Owners of the created access group beside whoever deploys first: users or service principals. An ordinary user
    without the role Groups Administrator can only create the group with another owner named here."""


BUILT_IN_DIMENSIONS = 384
"""Length of the vectors of all-MiniLM-L6-v2, the embedding model inside Open WebUI's image."""


VariableName = Annotated[str, text(r"^[A-Z][A-Z0-9_]{1,99}$", "the name of a variable such as WEBUI_NAME")]

VaultSecretName = Annotated[
    str, text(r"^[A-Za-z0-9-]{1,127}$", "the name of a secret in the vault, letters, digits and dashes")
]


_VECTORS = DecidedOnce(
    stack="database",
    effect="platform",
    why="other vectors mean reading every document again (docs/reference/chat.md)",
    unless="database.generation",
    only_while=(("chat.enabled", "true"),),
    agreeable=True,
)


class EmbeddingSettings(Model):
    """What turns uploaded documents into vectors."""

    model: Annotated[Annotated[str, Field(max_length=50)] | None, _VECTORS] = None
    """Name of a listed embedding model; left out, the one inside Open WebUI's image, which needs no GPU."""
    dimensions: Annotated[int, Field(ge=32, le=2000), _VECTORS] = BUILT_IN_DIMENSIONS
    """Length of its vectors, and of the column that keeps them: 384 for the model inside the image."""


class ChatTaskSettings(Model):
    """What the chat asks a model for besides the answer; each is one more call for a message."""

    model: Annotated[str, Field(max_length=50)] | None = None
    """Name of a listed small model that does them; left out, the one that answers, which may hold a GPU for them."""
    title: bool = True
    """Whether a model names a new chat; otherwise its first words do."""
    tags: bool = False
    """Whether a model sorts new chats by tags."""
    follow_ups: bool = False
    """Whether a model proposes next questions after every answer."""


class ChatSettings(Model):
    """Open WebUI."""

    enabled: bool = True
    """Whether the platform has a chat."""
    cpu: Annotated[float, Field(ge=0.1, le=16)] = 0.5
    """Processor cores that a replica asks for; it may take four times as much."""
    memory_gib: Annotated[float, Field(ge=1, le=64)] = 2
    """Memory that a replica asks for; it may take twice as much. Open WebUI with its embedding model takes 1.2 when
    idle."""
    replicas: Annotated[int, Field(ge=1, le=50)] = 2
    """Pods that are always there."""
    max_replicas: Annotated[int, Field(ge=1, le=50)] = 3
    """Pods that the autoscaler may reach; they share the database's connections."""
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    """Connections each replica keeps open, for data and vectors each."""
    database_pool_overflow: Annotated[int, Field(ge=0, le=200)] = 10
    """Connections each replica may open on top, for data and vectors each."""
    embeddings: EmbeddingSettings = EmbeddingSettings()
    """What turns uploaded documents into vectors."""
    tasks: ChatTaskSettings = ChatTaskSettings()
    """What the chat asks a model for besides the answer."""
    upload_mib: Annotated[int, Field(ge=1, le=2048)] = 200
    """Largest file that people may upload."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """How long a login is good for; who leaves the access group keeps the chat until then."""
    model_access: Literal["everyone", "granted"] = "everyone"
    """Who may use a model: `everyone` who may use the chat, or whom an administrator has `granted` it."""
    sync_groups: bool = False
    """Keep groups of the chat equal to the groups in the token, which Entra names by object id."""
    password_login: bool = False
    """Show a form for the local administrator, for when Entra does not answer; `llmctl webui admin` tells who."""
    environment: dict[VariableName, Annotated[str, Field(max_length=4096)]] = {}
    """Further variables of Open WebUI, for what its administration page would set; no secrets.
    Names: https://docs.openwebui.com/reference/env-configuration"""
    secrets: dict[VariableName, VaultSecretName] = {}
    """Further variables of Open WebUI whose values are secrets: name of the variable to name of the secret in the
    vault, which you write there yourself (`az keyvault secret set`): keys of web search, rerankers, speech, SCIM."""


class GatewayServiceSettings(Model):
    """LiteLLM, the one OpenAI-compatible API in front of the engines."""

    enabled: bool = True
    """Whether the platform has an LLM gateway; without it the chat calls the engines directly."""
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Pods that are always there."""
    max_replicas: Annotated[int, Field(ge=1, le=20)] = 2
    """Pods that the autoscaler may reach; they share the database's connections."""
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    """Connections that each pod may open."""
    trace_chats: bool = False
    """Whether traces hold what people write and read in the chat; `false` leaves times, tokens and costs. Everybody in
    Opik's access group could read them."""
    trace_prompts: bool = True
    """Whether traces hold prompts and answers of programs; `false` leaves times, tokens, costs and which key called."""
    spend_log_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long the record of every call, without its text, is kept in the database."""
    spend_per_person: bool = False
    """Whether the record of a call in the chat names who asked, by the id of the chat's account, so that
    `llmctl gateway spend --by person` can sum it. Traces and metrics name nobody in any case. Ask your works council."""


class OpikProfile(StrEnum):
    """How much memory and processor Opik's containers get."""

    SMALL = "small"
    STANDARD = "standard"


_OWN_TRACES_GROUP = replace(_OWN_GROUP, only_while=(("identity.manage", "true"), ("opik.enabled", "true")))


class OpikSettings(Model):
    """Opik, tracing and evaluation."""

    enabled: bool = True
    """Whether the platform has tracing and evaluation."""
    access_group_object_id: Annotated[ObjectId | None, _OWN_TRACES_GROUP] = None
    """Existing Entra group whose members may see all traces; left out, a group is created with the operators in it
    (with `identity.manage: false`: the platform's access group)."""
    version: Annotated[
        Annotated[str, text(r"^\d{1,3}\.\d{1,3}\.\d{1,4}$", "a release of Opik such as 2.1.23")] | None,
        NoWayBack(
            stack="disks",
            effect="platform",
            why="its databases are migrated, and only `llmctl opik rollback` knows whether it can live with that",
            unless="disks.generations.mysql",
            only_while=(("opik.enabled", "true"),),
            agreeable=True,
        ),
    ] = None
    """Release of chart and application; left out, the one that `helm/charts.yaml` pins. `llmctl opik upgrade` and
    `llmctl opik rollback` write it, after they have looked at backups and schema migrations."""
    profile: OpikProfile = OpikProfile.SMALL
    """Requests and limits of every container: `small` asks for 1.1 vCPU and 11 GiB, `standard` for 4 and 28."""
    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    """Backend pods that are always there. Each migrates the schema as it starts: install with 1, raise it later."""
    max_replicas: Annotated[int, Field(ge=1, le=20)] = 1
    """Backend pods that the autoscaler may reach by processor load; equal to `replicas`, there is no autoscaler."""
    login_replicas: Annotated[int, Field(ge=1, le=10)] = 1
    """Pods of the proxy that logs people in."""
    retention_days: Literal[14, 60, 400] | None = None
    """How long traces are kept, the times that Opik knows; left out, for ever. Deploy, then `llmctl opik retention`."""
    python_evaluators: bool = False
    """Whether rules may score traces by Python code that people write in Opik. Everybody who reaches Opik can then run
    code in a pod of its own, as nobody, without network or secrets."""
    guardrails_pool: PoolName | None = None
    """GPU pool that the guardrails service runs on; left out, there is none. Its image can only be built."""


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

    name: Annotated[
        str,
        text(
            r"^[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?$",
            "1 to 50 lower-case letters, digits, dots and dashes that begin and end with a letter or digit",
        ),
    ]
    """Name that users and the LLM gateway see; for vLLM without dots."""
    engine: Engine
    """What serves it: `ollama` shares one GPU between many models, `vllm` gives one model all of it."""
    id: Annotated[
        str,
        text(r"^[A-Za-z0-9][A-Za-z0-9._:/-]{1,120}$", "an Ollama tag or a Hugging Face repository"),
    ]
    """Ollama tag such as `llama3.1:8b`, or Hugging Face repository such as `Qwen/Qwen3-8B-AWQ`."""
    revision: Annotated[str, text(r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", "a branch, tag or commit")] | None = None
    """Hugging Face revision, a commit with `cluster.tier` Standard or Premium; for Ollama the tag's digest. Another one
    is downloaded again."""
    pool: PoolName
    """GPU pool that the model runs on."""
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
    tool_parser: (
        Annotated[str, text(r"^[a-z0-9][a-z0-9_-]{0,49}$", "the name of one of vLLM's tool parsers such as hermes")]
        | None
    ) = None
    """Parser with which vLLM reads tool calls out of answers; vLLM only; left out, what is known of the model's family.
    Names: https://docs.vllm.ai/en/latest/features/tool_calling"""
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
