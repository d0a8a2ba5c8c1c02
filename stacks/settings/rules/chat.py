"""The chat: its embeddings and tasks against the models, and its pods against the nodes."""

from collections.abc import Iterator

from ..azure_catalog.reservations import allocatable
from ..azure_catalog.sizes import parse_vm_size
from ..chat import BUILT_IN_DIMENSIONS, LONGEST_VECTOR, ChatSettings
from ..cluster import ClusterSettings
from ..estimates.capacity import GIB_PER_VCPU
from ..model_catalogue.entries import find
from ..models import ModelSettings
from .base import Finding
from .serving import DAEMONS_CPU, DAEMONS_MEMORY_GIB

EMBEDDING_DIMENSIONS = {
    "all-minilm": 384,
    "nomic-embed-text": 768,
    "embeddinggemma": 768,
    "mxbai-embed-large": 1024,
    "bge-m3": 1024,
    "snowflake-arctic-embed2": 1024,
    "BAAI/bge-large-en-v1.5": 1024,
    "intfloat/multilingual-e5-large": 1024,
    "qwen3-embedding:0.6b": 1024,
    "qwen3-embedding:4b": 2560,
    "qwen3-embedding": 4096,
}
"""Length of the vectors of embedding models beside those of the catalogue, as their cards give it, by the first part of
an id (`qwen3-embedding` alone is Ollama's largest)."""


def embeddings_fit_their_model(chat: ChatSettings, models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """A named embedding model is served, and the column of vectors is as long as its vectors."""
    name, dimensions = chat.embeddings.model, chat.embeddings.dimensions
    if not chat.enabled:
        return
    if name is None:
        if dimensions != BUILT_IN_DIMENSIONS:
            yield Finding(
                ("chat", "embeddings", "dimensions"),
                f"must be {BUILT_IN_DIMENSIONS}, as long as the vectors of the model inside Open WebUI's image; name"
                " another model in chat.embeddings.model, or remove it",
            )
        return
    found = next((model for model in models if model.name == name), None)
    if found is None:
        listed = ", ".join(model.name for model in models) or "none"
        yield Finding(("chat", "embeddings", "model"), f"is no listed model; the models are: {listed}")
        return
    in_catalogue = find(found.name, found.id)
    if in_catalogue and in_catalogue.vector_length is None:
        yield Finding(
            ("chat", "embeddings", "model"), f"is a model that writes text ({found.id}), and makes no vectors"
        )
        return
    known = in_catalogue.vector_length if in_catalogue else _vector_length(found.id)
    if known is not None and known > LONGEST_VECTOR:
        yield Finding(
            ("chat", "embeddings", "model"),
            f"makes vectors of {known}, but the chat's database indexes at most {LONGEST_VECTOR}; name another",
        )
    elif known is not None and dimensions != known:
        yield Finding(
            ("chat", "embeddings", "dimensions"),
            f"must be {known}, as long as the vectors of {found.id}: longer ones would be cut, shorter ones be filled"
            " with zeros",
        )


def _vector_length(model_id: str) -> int | None:
    """Return the length of a known model's vectors, by the longest name that its id begins with."""
    names = sorted((name for name in EMBEDDING_DIMENSIONS if model_id.startswith(name)), key=len)
    return EMBEDDING_DIMENSIONS[names[-1]] if names else None


def tasks_have_a_model(chat: ChatSettings, models: tuple[ModelSettings, ...]) -> Iterator[Finding]:
    """The model of titles, tags and follow-ups is listed, and one that answers."""
    name = chat.tasks.model
    if not chat.enabled or name is None:
        return
    if name not in {model.name for model in models}:
        listed = ", ".join(model.name for model in models) or "none"
        yield Finding(("chat", "tasks", "model"), f"is no listed model; the models are: {listed}")
    elif name == chat.embeddings.model:
        yield Finding(("chat", "tasks", "model"), "is the embedding model, which writes no text; name another")


def a_pod_fits_on_a_workload_node(chat: ChatSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """What one replica asks for is left of a node of the workload pool; otherwise it would wait for ever."""
    pool = cluster.workload_pool
    size = parse_vm_size(pool.vm_size)
    if not chat.enabled or size is None or size.family not in GIB_PER_VCPU:
        return
    room = allocatable(size.vcpus, size.vcpus * GIB_PER_VCPU[size.family], cluster.max_pods_per_node)
    for key, asked, left, unit in (
        ("cpu", chat.cpu, room.cpu - DAEMONS_CPU, "cores"),
        ("memory_gib", chat.memory_gib, room.memory_gib - DAEMONS_MEMORY_GIB, "GiB"),
    ):
        if asked > left:
            yield Finding(
                ("chat", key),
                f"is more than the {left:.1f} {unit} that AKS and the node's own pods leave of a {pool.vm_size}"
                " (cluster.workload_pool.vm_size), so that no replica would ever start; lower it, or take larger nodes",
            )


RULES = (
    embeddings_fit_their_model,
    tasks_have_a_model,
    a_pod_fits_on_a_workload_node,
)
