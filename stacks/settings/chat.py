"""The chat: Open WebUI, what it asks models for, and what turns documents into vectors."""

from typing import Annotated, Literal

from pydantic import Field

from .one_way.marks import DecidedOnce
from .types import Model, VaultSecretName, text

BUILT_IN_DIMENSIONS = 384
"""Length of the vectors of all-MiniLM-L6-v2, the embedding model inside Open WebUI's image."""
LONGEST_FULL_VECTOR = 2000
"""Longest that pgvector indexes in single precision; above, the pinned chat insists on half precision (`config.py`)."""
LONGEST_VECTOR = 4000
"""Longest that pgvector indexes in half precision."""
VariableName = Annotated[str, text(r"^[A-Z][A-Z0-9_]{1,99}$", "the name of a variable such as WEBUI_NAME")]
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
    dimensions: Annotated[int, Field(ge=32, le=LONGEST_VECTOR), _VECTORS] = BUILT_IN_DIMENSIONS
    """Length of its vectors, and of the column that keeps them: 384 for the model inside the image; above 2,000 they
    are kept in half precision."""


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
    waiting_status_seconds: Annotated[int, Field(ge=0, le=300)] = 10
    """Seconds without a word of an answer after which the chat says above it that the model is starting, or busy;
    0 for never."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """How long a login is good for; who leaves the access group keeps the chat until then."""
    model_access: Literal["everyone", "granted"] = "everyone"
    """Who may use a model: `everyone` who may use the chat, or whom an administrator has `granted` it."""
    sync_groups: bool = False
    """Keep groups of the chat equal to the groups in the token, which Entra names by object id."""
    password_login: bool = False
    """Show a form for the local administrator, for when Entra does not answer; `llmctl webui admin` tells who."""
    personal_keys: bool = False
    """Whether everybody may make a key in the chat (Settings, Account) and call models with it from programs, under
    their own name, at chat.<domain>/api: for lists of models and completions alone. A key has no end of its own: it
    works until its owner or `llmctl webui role PERSON pending` ends it."""
    environment: dict[VariableName, Annotated[str, Field(max_length=4096)]] = {}
    """Further variables of Open WebUI, for what its administration page would set; no secrets.
    Names: https://docs.openwebui.com/reference/env-configuration"""
    secrets: dict[VariableName, VaultSecretName] = {}
    """Further variables of Open WebUI whose values are secrets: name of the variable to name of the secret in the
    vault, which you write there yourself (`az keyvault secret set`): keys of web search, rerankers, speech, SCIM."""
