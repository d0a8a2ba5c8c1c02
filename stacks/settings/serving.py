"""How models are served: where weights are kept, how long a request waits for a GPU, when engines stay warm."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .one_way.marks import CanOnlyGrow
from .types import Model, TimeOfDay, text

SMALLEST_SHARE_GIB = 32
"""Least that a provisioned v2 share has (Microsoft Learn, "Understand Azure Files billing")."""
DEFAULT_SHARE_GIB = 100


class ModelStore(StrEnum):
    """Where the engines keep weights."""

    AZURE_FILES = "azure-files"
    """A premium NFS share: downloaded once, shared by all nodes."""
    NODE_DISK = "node-disk"
    """The node's own disk: loads faster, but every start of a pod downloads again."""


class WarmHours(Model):
    """Hours in which the engines are kept ready, whether or not anybody asks."""

    days: Annotated[str, text(r"^[0-6](-[0-6])?(,[0-6](-[0-6])?)*$", 'days of the week such as "1-5", 0 is Sunday')] = (
        "1-5"
    )
    """Days on which they are warm."""
    start: TimeOfDay = "08:00"
    """Time at which they are started."""
    end: TimeOfDay = "18:00"
    """Time after which they go to zero when idle; later than `start` on the same day."""
    timezone: Annotated[
        str, text(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*$", "a zone such as Europe/Berlin")
    ] = "UTC"
    """Time zone of both, by its IANA name."""


class SpillOverSettings(Model):
    """For models that list several pools: how much they may run on a later one, and when they try the first again."""

    node_hours_per_month: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Node hours of a calendar month (UTC) that models may take on later pools, all together; when they are spent,
    models wait for their first pool until the month ends. Left out means no limit."""
    return_minutes: Annotated[int, Field(ge=15, le=1440)] = 60
    """How often a model on a later pool has Azure asked for a node of its first one, to which it then moves back."""


_SHARE = CanOnlyGrow(
    stack="disks",
    why="Kubernetes shrinks no volume (`llmctl models discard-store` gives all weights up)",
    only_while=(("serving.model_store", ModelStore.AZURE_FILES.value),),
    agreeable=True,
)


class ServingSettings(Model):
    """What all engines have in common."""

    model_store: ModelStore = ModelStore.AZURE_FILES
    """Where weights are kept: `azure-files` downloads once for all nodes, `node-disk` at every start of a pod."""
    ollama_store_gib: Annotated[int, Field(ge=SMALLEST_SHARE_GIB, le=102_400), _SHARE] = DEFAULT_SHARE_GIB
    """Size of Ollama's share, which also decides how fast weights load: 100 MiB/s and 0.1 more for each GiB."""
    vllm_store_gib: Annotated[int, Field(ge=SMALLEST_SHARE_GIB, le=102_400), _SHARE] = DEFAULT_SHARE_GIB
    """Size of vLLM's share, which also decides how fast weights load: 100 MiB/s and 0.1 more for each GiB."""
    store_encrypted_mount: bool = True
    """Accept only mounts of the shares that are encrypted in transit."""
    prune_models: bool = False
    """Remove Ollama models that are no longer listed from the share at the next deployment."""
    hold_minutes: Annotated[int, Field(ge=1, le=15)] = 15
    """How long a request is held while its engine starts from zero; after that the answer is 503."""
    cpu_per_gpu: Annotated[float, Field(gt=0, le=64)] = 1.5
    """Processor cores that an engine asks for with each GPU, or with each time slice of one."""
    memory_gib_per_gpu: Annotated[int, Field(ge=1, le=512)] = 10
    """Main memory that an engine asks for with each GPU, or with each time slice of one."""
    waiting_requests: Annotated[int, Field(ge=1, le=1000)] = 50
    """Requests that may wait for each model besides those that its engine computes; the next one gets 503."""
    requests_per_replica: Annotated[int, Field(ge=1, le=256)] = 4
    """Requests at the same time for which Ollama gets another replica."""
    waiting_per_replica: Annotated[int, Field(ge=1, le=256)] = 5
    """Requests in vLLM's own queue for which it gets another replica."""
    startup_minutes: Annotated[int, Field(ge=5, le=120)] = 45
    """How long vLLM may load a model, with `node-disk` also download it, before Kubernetes restarts it."""
    spill_over: SpillOverSettings = SpillOverSettings()
    """For models that list several pools: how much they may run on a later one, and when they try the first again."""
    warm_hours: WarmHours | None = None
    """Working hours in which one replica of every engine stays loaded; outside of them engines go to zero when idle."""
    hugging_face_token: bool = False
    """Whether the vault holds a secret `hugging-face-token`, which vLLM then uses to download gated models."""
