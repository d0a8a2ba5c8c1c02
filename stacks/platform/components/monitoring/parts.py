"""What runs to collect and show metrics."""

from collections.abc import Iterator

from stacks.platform.common.parts import Part
from stacks.platform.common.traffic import MONITORING
from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore


def monitoring_parts(settings: Settings) -> Iterator[Part]:
    """Yield the parts; the operator last, since it would undo the stop of what it runs."""
    if settings.monitoring.metrics is MetricsStore.PROMETHEUS:
        yield Part(
            name="node-exporter",
            namespace="node-metrics",
            workload="daemonset/node-exporter",
            container="node-exporter",
        )
        yield Part(
            name="kube-state-metrics",
            namespace=MONITORING,
            workload="deployment/kube-state-metrics",
            container="kube-state-metrics",
        )
        for name in ("prometheus", "alertmanager"):
            yield Part(
                name=name,
                namespace=MONITORING,
                workload=f"statefulset/{name}-prometheus",
                container=name,
                store=True,
            )
    yield Part(name="grafana", namespace=MONITORING, workload="deployment/grafana", container="grafana", main=True)
    if settings.monitoring.metrics is MetricsStore.PROMETHEUS:
        yield Part(
            name="operator",
            namespace=MONITORING,
            workload="deployment/prometheus-operator",
            container="kube-prometheus-stack",
        )
