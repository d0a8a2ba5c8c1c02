"""What the serving proxy, the engines and KEDA's HTTP add-on talk to, and why."""

from collections.abc import Iterator

from stacks.platform.common.connections import CLUSTER_SERVICES, Connection, calls, https_out
from stacks.platform.common.traffic import Peer, WayOut
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings.serving import ModelStore

from .engines import (
    EXTERNAL_SCALER_PORT,
    INTERCEPTOR_PORT,
    OLLAMA_PORT,
    SCALING,
    SERVING,
    VLLM_PORT,
    ollama_engines,
    vllm_engines,
)
from .traffic import (
    ADMIN_PORT,
    FETCH_PODS,
    INTERCEPTOR_PODS,
    OLLAMA_PODS,
    PROXY_PODS,
    PULL_PODS,
    SCALER_PODS,
    VLLM_PODS,
)

_KEDA = Peer(namespace=CLUSTER_SERVICES)


def connections(components: EnabledComponents) -> Iterator[Connection]:
    """Yield the connections of both namespaces; who calls models says so itself."""
    settings = components.settings
    interceptor, scaler = Peer(namespace=SCALING, pods=INTERCEPTOR_PODS), Peer(namespace=SCALING, pods=SCALER_PODS)
    proxy = Peer(namespace=SERVING, pods=PROXY_PODS)
    yield calls(proxy, interceptor, INTERCEPTOR_PORT, why="requests, held while an engine starts")
    yield calls(_KEDA, scaler, EXTERNAL_SCALER_PORT, why="KEDA asks how many requests there are")
    yield calls(scaler, interceptor, ADMIN_PORT, why="counts of requests")
    yield from https_out(Peer(namespace=SCALING), "Kubernetes API", WayOut.KUBERNETES_API)
    shared = settings.serving.model_store is ModelStore.AZURE_FILES
    if ollama_engines(settings.models, settings.cluster):
        yield calls(interceptor, Peer(namespace=SERVING, pods=OLLAMA_PODS), OLLAMA_PORT, why="requests")
        downloads = Peer(namespace=SERVING, pods=PULL_PODS if shared else OLLAMA_PODS)
        yield from https_out(downloads, "downloads of models")
    if vllm_engines(settings.models, settings.cluster):
        vllm = Peer(namespace=SERVING, pods=VLLM_PODS)
        yield calls(interceptor, vllm, VLLM_PORT, why="requests")
        yield calls(_KEDA, vllm, VLLM_PORT, why="KEDA asks how many requests wait")
        yield from https_out(Peer(namespace=SERVING, pods=FETCH_PODS if shared else VLLM_PODS), "downloads of weights")
