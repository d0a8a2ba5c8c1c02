"""What the rest of the code has to know of the engines."""

from collections.abc import Iterator

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.namespaces import (
    Layer,
    NamespaceRules,
    PodSecurity,
    application_namespace,
    controller_namespace,
)
from stacks.platform.common.scraping import Target
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from .connections import connections
from .engines import ENGINE_KEYS, PROXY, SCALING, SERVING, VLLM, VLLM_PORT, ollama_engines, vllm_engines
from .parts import serving_parts
from .traffic import INTERCEPTOR_METRICS_PORT, INTERCEPTOR_PODS, VLLM_PODS, scaling_traffic, serving_traffic
from .vllm import API_KEY, TOKEN_KEY

HUGGING_FACE_TOKEN = "hugging-face-token"  # noqa: S105 (a name, not a secret)
"""The vault's name of a secret that its owner writes there; it has no version of the platform's."""


def _unused_charts(settings: Settings) -> Iterator[str]:
    if not ollama_engines(settings.models, settings.cluster):
        yield "ollama"
    if not vllm_engines(settings.models, settings.cluster):
        yield VLLM


def _namespaces(components: EnabledComponents) -> Iterator[NamespaceRules]:
    settings = components.settings
    traffic = serving_traffic(settings, components.engine_callers())
    yield controller_namespace(SCALING, scaling_traffic(settings.monitoring))
    yield application_namespace(settings, SERVING, traffic, enforced=PodSecurity.RESTRICTED, layer=Layer.ENGINES)


def _external_secrets(components: EnabledComponents, **_: str) -> Iterator[ExternalSecret]:
    settings = components.settings
    if vllm_engines(settings.models, settings.cluster):
        token = {TOKEN_KEY: HUGGING_FACE_TOKEN} if settings.serving.hugging_face_token else {}
        keys: dict[str, GeneratedSecret | str] = {API_KEY: GeneratedSecret.VLLM_API_KEY, **token}
        yield ExternalSecret(namespace=SERVING, name=ENGINE_KEYS, keys=keys)


def _targets(settings: Settings) -> Iterator[Target]:
    # Its chart declares the ports `admin` and `proxy` alone.
    yield Target(
        name="interceptor",
        namespace=SCALING,
        labels=INTERCEPTOR_PODS,
        port="proxy",
        number=INTERCEPTOR_METRICS_PORT,
        declared=False,
    )
    if vllm_engines(settings.models, settings.cluster):
        yield Target(name="vllm", namespace=SERVING, labels=VLLM_PODS, port="http", number=VLLM_PORT)


COMPONENT = Component(
    package=__package__,
    position=50,
    needs=("secrets",),
    page="reference/serving.md",
    summary="Ollama and vLLM on the GPU pools, from zero replicas on, and the proxy before them",
    enabled=lambda settings: bool(settings.models),
    charts=("keda-http-add-on", "scaling", PROXY, "ollama", VLLM),
    unused_charts=_unused_charts,
    namespaces=_namespaces,
    connections=connections,
    external_secrets=_external_secrets,
    user_secrets=(HUGGING_FACE_TOKEN,),
    targets=_targets,
    parts=serving_parts,
    alerts=("engines",),
    dashboards=("engines",),
)
