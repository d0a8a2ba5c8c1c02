"""What runs to serve models: KEDA's HTTP add-on, the engines, and the proxy in front of them."""

from collections.abc import Iterator

from stacks.platform.common.parts import Part
from stacks.settings import Settings
from stacks.settings.models import Engine

from .engines import EXTERNAL_SCALER, PROXY, SCALING, SERVING, engines

_ADD_ON = (
    ("scaler", EXTERNAL_SCALER, EXTERNAL_SCALER),
    ("scaling-operator", "keda-add-ons-http-controller-manager", "keda-add-ons-http-operator"),
    ("interceptor", "keda-add-ons-http-interceptor", "keda-add-ons-http-interceptor"),
)


def serving_parts(settings: Settings) -> Iterator[Part]:
    """Yield the parts, the proxy that callers ask last."""
    for name, deployment, container in _ADD_ON:
        yield Part(name=name, namespace=SCALING, workload=f"deployment/{deployment}", container=container)
    for engine in engines(settings.models, settings.cluster):
        family = "vllm" if engine.engine is Engine.VLLM else "ollama"
        yield Part(
            name=engine.name,
            namespace=SERVING,
            workload=f"deployment/{engine.deployment}",
            container=family,
            family=family,
            replicas_setting="min_replicas, max_replicas of its models",
        )
    yield Part(name="proxy", namespace=SERVING, workload=f"deployment/{PROXY}", container="nginx")
