"""Pods whose metrics are collected, who collects them, and the traffic rule that lets it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.settings.monitoring import MetricsStore, MonitoringSettings

from .traffic import MONITORING, Peer, TrafficRule, allow_from

_AZURES = Peer(namespace="kube-system", pods={"rsName": "ama-metrics"})
"""The replicas of Azure's add-on that read monitors; its pods on each node only read the node itself.

https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-troubleshoot
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Pods with metrics."""

    name: str
    """Name of the monitor, and the label `job` of the metrics."""
    namespace: str
    labels: Mapping[str, str]
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
            "labels": dict(self.labels),
            "port": self.port,
            "path": self.path,
        }
        return scraped if self.declared else scraped | {"number": self.number}


def collector(monitoring: MonitoringSettings) -> Peer:
    """Pods that ask for metrics."""
    return _AZURES if monitoring.metrics is MetricsStore.AZURE_MONITOR else Peer(namespace=MONITORING)


def allow_metrics(
    monitoring: MonitoringSettings,
    port: int,
    *,
    name: str = "allow-metrics",
    pods: Mapping[str, str] | None = None,
) -> TrafficRule:
    """Let metrics be collected at `port` of `pods`, of every pod of the namespace unless some are named."""
    return allow_from(name, pods or {}, (collector(monitoring),), port)
