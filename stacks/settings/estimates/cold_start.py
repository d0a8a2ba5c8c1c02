"""How long a vLLM takes from zero, against how long a request is held for it.

Estimates, which depend on region and hour: nothing is refused by them, `llmctl env check` reports them. Ollama is left
out: its server is ready without a model, whose loading has a time of its own (`rules/gpu_room.py`).
"""

from collections.abc import Iterator, Mapping, Sequence

from ..cluster import GpuPoolSettings
from ..models import Engine, ModelSettings
from ..rules.gpu_room import LOAD_MIB_PER_S
from ..serving import ModelStore, ServingSettings

NODE_SECONDS = 300
"""A GPU node until it takes pods: machine, boot, driver, device plugin (`start.node_ready_s` of the simulation)."""
IMAGE_SECONDS = {True: 150, False: 300}
"""Pulling 12 GB and unpacking 28 GB: onto the machine's own disk, or onto a managed one of 128 GiB."""
START_SECONDS = 150
"""Process, profiling of memory, kernels and graphs of a first start; later ones find kernels beside the weights."""
NEXT_POOL_MINUTES = 8
"""Until the cluster autoscaler gives up a node that does not come and takes the next pool of a list.

Azure often says nothing of missing capacity (Azure/AKS#4405: 20 minutes with the autoscaler's default of 15). A GPU
node takes about five minutes; one that takes longer comes beside one of the next pool, and the idle one goes again.
"""
HUB_MIB_PER_S = 200
"""What the model hub gives, where weights are not kept on a share."""


def seconds(model: ModelSettings, pool: GpuPoolSettings, serving: ServingSettings) -> float:
    """How long a vLLM takes from the first request to its first answer, on a node that is not there yet."""
    base, more = LOAD_MIB_PER_S
    shared = serving.model_store is ModelStore.AZURE_FILES
    speed = base + more * serving.vllm_store_gib if shared else HUB_MIB_PER_S
    weights = model.weights_gib * 1024 / speed
    return NODE_SECONDS + IMAGE_SECONDS[pool.ephemeral_os_disk] + START_SECONDS + weights


def report(
    models: Sequence[ModelSettings], pools: Mapping[str, GpuPoolSettings], serving: ServingSettings
) -> Iterator[str]:
    """One sentence for each model whose first callers would wait in vain."""
    hold = serving.hold_minutes
    for model in models:
        pool = pools.get(model.first_pool)
        if pool is None or model.engine is not Engine.VLLM or model.min_replicas or pool.min_nodes:
            continue
        minutes = seconds(model, pool, serving) / 60
        if minutes > hold:
            disk = "" if pool.ephemeral_os_disk else f", cluster.gpu_pools.{model.first_pool}.ephemeral_os_disk: true"
            yield (
                f"{model.name} takes about {minutes:.0f} minutes from zero (node, image, start, weights), but a request"
                f" is held for {hold} (serving.hold_minutes): its first callers get 503; a larger"
                f" serving.vllm_store_gib{disk} or min_replicas: 1 helps"
            )
        elif model.later_pools and minutes + NEXT_POOL_MINUTES > hold:
            yield (
                f"{model.name} takes about {minutes + NEXT_POOL_MINUTES:.0f} minutes from zero while"
                f" {model.first_pool} has no node ({NEXT_POOL_MINUTES} until {model.later_pools[0]} is tried), but a"
                f" request is held for {hold} (serving.hold_minutes): its first callers get 503 then;"
                " min_replicas: 1 helps"
            )
