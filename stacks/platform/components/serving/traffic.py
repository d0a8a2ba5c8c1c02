"""Who talks to whom between callers, front, interceptor and engines. Everything else is denied."""

from collections.abc import Iterator, Mapping, Sequence

from stacks.platform.common.scraping import collector, metrics
from stacks.platform.common.traffic import DNS, HTTPS_OUT, Direction, Flow, Peer, Port
from stacks.settings import Settings
from stacks.settings.serving import ModelStore

from .engines import (
    EXTERNAL_SCALER_PORT,
    FRONT,
    FRONT_PORT,
    INTERCEPTOR_PORT,
    OLLAMA_PORT,
    SCALING,
    SERVING,
    VLLM,
    VLLM_PORT,
    ollama_engines,
    vllm_engines,
)

FRONT_PODS = {"app.kubernetes.io/name": FRONT}
OLLAMA_PODS = {"app.kubernetes.io/name": "ollama"}
PULL_PODS = {"app.kubernetes.io/name": "ollama-models"}
VLLM_PODS = {"app.kubernetes.io/name": VLLM}
FETCH_PODS = {"app.kubernetes.io/name": "vllm-models"}
INTERCEPTOR_PODS = {"app.kubernetes.io/component": "interceptor"}
SCALER_PODS = {"app.kubernetes.io/component": "scaler"}

_ADMIN_PORT = 9090
_INTERCEPTOR_METRICS_PORT = 2223
_KEDA = Peer(namespace="kube-system")
"""KEDA runs as an add-on of AKS."""


def serving_flows(settings: Settings, callers: Sequence[str]) -> tuple[Flow, ...]:
    """Flows of the namespace `serving`; `callers` are the namespaces that may use models."""
    return tuple(_serving(settings, callers))


def scaling_flows(settings: Settings) -> tuple[Flow, ...]:
    """Flows of the namespace of KEDA's HTTP add-on."""
    front = Peer(namespace=SERVING, pods=FRONT_PODS)
    interceptor = Peer(namespace=SCALING, pods=INTERCEPTOR_PODS)
    return (
        DNS,
        HTTPS_OUT,
        _into("allow-front", INTERCEPTOR_PODS, (front,), INTERCEPTOR_PORT),
        _out_of("allow-engines", INTERCEPTOR_PODS, (Peer(namespace=SERVING),), OLLAMA_PORT, VLLM_PORT),
        _into("allow-keda", SCALER_PODS, (_KEDA,), EXTERNAL_SCALER_PORT),
        _out_of("allow-counting", SCALER_PODS, (interceptor,), _ADMIN_PORT),
        _into("allow-being-counted", INTERCEPTOR_PODS, (Peer(namespace=SCALING, pods=SCALER_PODS),), _ADMIN_PORT),
        metrics(settings, _INTERCEPTOR_METRICS_PORT),
    )


def _serving(settings: Settings, callers: Sequence[str]) -> Iterator[Flow]:
    interceptor = Peer(namespace=SCALING, pods=INTERCEPTOR_PODS)
    yield _into("allow-callers", FRONT_PODS, tuple(Peer(namespace=name) for name in callers), FRONT_PORT)
    yield _out_of("allow-interceptor", FRONT_PODS, (interceptor,), INTERCEPTOR_PORT)
    if ollama_engines(settings):
        yield _into("allow-ollama", OLLAMA_PODS, (interceptor,), OLLAMA_PORT)
        # Only what downloads may reach the internet; Ollama itself has no need to.
        pulls = PULL_PODS if settings.serving.model_store is ModelStore.AZURE_FILES else OLLAMA_PODS
        yield _download("allow-ollama-download", pulls)
    if vllm_engines(settings):
        yield _into("allow-vllm", VLLM_PODS, (interceptor, _KEDA, collector(settings)), VLLM_PORT)
        # With a shared store only what downloads reaches the internet.
        fetches = FETCH_PODS if settings.serving.model_store is ModelStore.AZURE_FILES else VLLM_PODS
        yield _download("allow-vllm-download", fetches)


def _download(name: str, pods: Mapping[str, str]) -> Flow:
    return Flow(name=name, direction=HTTPS_OUT.direction, peers=HTTPS_OUT.peers, ports=HTTPS_OUT.ports, pods=dict(pods))


def _into(name: str, pods: Mapping[str, str], peers: tuple[Peer, ...], *ports: int) -> Flow:
    return _flow(name, Direction.INGRESS, pods, peers, ports)


def _out_of(name: str, pods: Mapping[str, str], peers: tuple[Peer, ...], *ports: int) -> Flow:
    return _flow(name, Direction.EGRESS, pods, peers, ports)


def _flow(
    name: str, direction: Direction, pods: Mapping[str, str], peers: tuple[Peer, ...], ports: Sequence[int]
) -> Flow:
    return Flow(name=name, direction=direction, peers=peers, ports=tuple(map(Port, ports)), pods=dict(pods))
