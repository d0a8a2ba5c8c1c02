"""The pods that are scraped besides Kubernetes itself, whose exporters the chart brings its own monitors for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stacks.platform.common import accounts
from stacks.platform.components.llm_gateway import address as gateway
from stacks.platform.components.llm_gateway.traffic import PROXY
from stacks.platform.components.opik.traffic import CLICKHOUSE, CLICKHOUSE_METRICS_PORT, LOGIN, LOGIN_METRICS_PORT
from stacks.platform.components.serving.engines import SCALING, SERVING, VLLM_PORT, vllm_engines
from stacks.platform.components.serving.traffic import INTERCEPTOR_PODS, VLLM_PODS
from stacks.settings import Settings
from stacks.settings.network import IngressMode

# The names of these namespaces cannot be imported from the rules of namespaces, which import this package.
_INGRESS, _GPU = "ingress", "gpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Pods with metrics."""

    name: str
    """Name of the monitor, and the label `job` of the metrics."""
    namespace: str
    labels: dict[str, str]
    port: str
    """Name of a port that the pods declare."""
    number: int
    """The port that is scraped."""
    declared: bool = True
    """Whether `port` is that port; else it is any port of the pods, and `number` takes its place."""
    path: str = "/metrics"

    def values(self) -> dict[str, Any]:
        """The target as the chart of the monitors takes it."""
        scraped: dict[str, Any] = {
            "namespace": self.namespace,
            "labels": self.labels,
            "port": self.port,
            "path": self.path,
        }
        return scraped if self.declared else scraped | {"number": self.number}


def targets(settings: Settings) -> tuple[Target, ...]:
    """Every target that the environment's settings call for."""
    return tuple(_targets(settings))


def _targets(settings: Settings) -> Iterator[Target]:
    yield Target(
        name="cert-manager",
        namespace=accounts.CERT_MANAGER.namespace,
        labels={"app.kubernetes.io/component": "controller"},
        port="http-metrics",
        number=9402,
    )
    yield Target(
        name="external-secrets",
        namespace=accounts.VAULT_READER.namespace,
        labels={"app.kubernetes.io/name": "external-secrets"},
        port="metrics",
        number=8080,
    )
    if settings.ingress.mode is IngressMode.NGINX:
        yield Target(
            name="nginx-ingress",
            namespace=_INGRESS,
            labels={"app.kubernetes.io/name": "nginx-ingress"},
            port="prometheus",
            number=9113,
        )
    if settings.cluster.gpu_pools:
        yield Target(
            name="dcgm-exporter",
            namespace=_GPU,
            labels={"app.kubernetes.io/name": "dcgm-exporter"},
            port="metrics",
            number=9400,
        )
    if settings.models:
        # Its chart declares the ports `admin` and `proxy` alone.
        yield Target(
            name="interceptor",
            namespace=SCALING,
            labels=INTERCEPTOR_PODS,
            port="proxy",
            number=2223,
            declared=False,
        )
    if vllm_engines(settings):
        yield Target(name="vllm", namespace=SERVING, labels=VLLM_PODS, port="http", number=VLLM_PORT)
    if settings.gateway.enabled:
        yield Target(
            name="litellm", namespace=gateway.NAMESPACE, labels=PROXY, port="metrics", number=gateway.METRICS_PORT
        )
    if settings.opik.enabled:
        opik = accounts.OAUTH2_PROXY.namespace
        yield Target(name="oauth2-proxy", namespace=opik, labels=LOGIN, port="metrics", number=LOGIN_METRICS_PORT)
        # Its pods come from an operator and do not declare the port.
        yield Target(
            name="clickhouse",
            namespace=opik,
            labels=CLICKHOUSE,
            port="http",
            number=CLICKHOUSE_METRICS_PORT,
            declared=False,
        )


def alert_groups(settings: Settings) -> tuple[str, ...]:
    """Files of `helm/monitors/rules` whose alerts are about something that the environment has."""
    wanted = {
        "platform": True,
        "gpu": bool(settings.cluster.gpu_pools),
        "engines": bool(settings.models),
        "gateway": settings.gateway.enabled,
        "opik": settings.opik.enabled,
    }
    return tuple(name for name, there in wanted.items() if there)


def dashboards(settings: Settings) -> tuple[str, ...]:
    """Files of `helm/dashboards/files` that the environment shows."""
    return ("overview", "postgresql", *(name for name in alert_groups(settings) if name != "platform"))
