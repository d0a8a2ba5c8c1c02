"""Who talks to whom between callers, front, interceptor and engines. Everything else is denied."""

from collections.abc import Iterator, Sequence

from stacks.platform.common.scraping import allow_metrics, collector
from stacks.platform.common.traffic import API_OUT, DNS, Peer, TrafficRule, allow_from, allow_https_out, allow_to
from stacks.settings import Settings
from stacks.settings.monitoring import MonitoringSettings
from stacks.settings.serving import ModelStore

from .engines import (
    EXTERNAL_SCALER_PORT,
    INTERCEPTOR_PORT,
    OLLAMA_PORT,
    PROXY,
    PROXY_PORT,
    SCALING,
    SERVING,
    VLLM,
    VLLM_PORT,
    ollama_engines,
    vllm_engines,
)

PROXY_PODS = {"app.kubernetes.io/name": PROXY}
OLLAMA_PODS = {"app.kubernetes.io/name": "ollama"}
PULL_PODS = {"app.kubernetes.io/name": "ollama-models"}
VLLM_PODS = {"app.kubernetes.io/name": VLLM}
FETCH_PODS = {"app.kubernetes.io/name": "vllm-models"}
INTERCEPTOR_PODS = {"app.kubernetes.io/component": "interceptor"}
SCALER_PODS = {"app.kubernetes.io/component": "scaler"}

ADMIN_PORT = 9090
INTERCEPTOR_METRICS_PORT = 2223
_KEDA = Peer(namespace="kube-system")
"""KEDA runs as an add-on of AKS."""


def serving_traffic(settings: Settings, callers: Sequence[Peer]) -> Iterator[TrafficRule]:
    """Traffic rules of the namespace `serving` besides those of every application; `callers` may use models."""
    interceptor = Peer(namespace=SCALING, pods=INTERCEPTOR_PODS)
    yield allow_from("allow-callers", PROXY_PODS, callers, PROXY_PORT)
    yield allow_to("allow-interceptor", PROXY_PODS, (interceptor,), INTERCEPTOR_PORT)
    shared = settings.serving.model_store is ModelStore.AZURE_FILES
    if ollama_engines(settings.models, settings.cluster):
        yield allow_from("allow-ollama", OLLAMA_PODS, (interceptor,), OLLAMA_PORT)
        # With a shared store only what downloads may reach the internet; Ollama itself has no need to.
        yield allow_https_out("allow-ollama-download", PULL_PODS if shared else OLLAMA_PODS)
    if vllm_engines(settings.models, settings.cluster):
        callers_of_vllm = (interceptor, _KEDA, collector(settings.monitoring))
        yield allow_from("allow-vllm", VLLM_PODS, callers_of_vllm, VLLM_PORT)
        yield allow_https_out("allow-vllm-download", FETCH_PODS if shared else VLLM_PODS)


def scaling_traffic(monitoring: MonitoringSettings) -> tuple[TrafficRule, ...]:
    """Traffic rules of the namespace of KEDA's HTTP add-on."""
    proxy = Peer(namespace=SERVING, pods=PROXY_PODS)
    interceptor = Peer(namespace=SCALING, pods=INTERCEPTOR_PODS)
    scaler = Peer(namespace=SCALING, pods=SCALER_PODS)
    return (
        DNS,
        API_OUT,
        allow_from("allow-front", INTERCEPTOR_PODS, (proxy,), INTERCEPTOR_PORT),
        allow_to("allow-engines", INTERCEPTOR_PODS, (Peer(namespace=SERVING),), OLLAMA_PORT, VLLM_PORT),
        allow_from("allow-keda", SCALER_PODS, (_KEDA,), EXTERNAL_SCALER_PORT),
        allow_to("allow-counting", SCALER_PODS, (interceptor,), ADMIN_PORT),
        allow_from("allow-being-counted", INTERCEPTOR_PODS, (scaler,), ADMIN_PORT),
        allow_metrics(monitoring, INTERCEPTOR_METRICS_PORT, pods=INTERCEPTOR_PODS),
    )
