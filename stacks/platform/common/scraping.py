"""Who collects metrics, and the allowance that lets it in."""

from collections.abc import Mapping

from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore

from .traffic import MONITORING, Direction, Flow, Peer, Port

_AZURES = Peer(namespace="kube-system", pods={"rsName": "ama-metrics"})
"""The replicas of Azure's add-on that read monitors; its pods on each node only read the node itself.

https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-troubleshoot
"""


def collector(settings: Settings) -> Peer:
    """Pods that ask for metrics."""
    return _AZURES if settings.monitoring.metrics is MetricsStore.AZURE_MONITOR else Peer(namespace=MONITORING)


def metrics(
    settings: Settings, port: int, *, name: str = "allow-metrics", pods: Mapping[str, str] | None = None
) -> Flow:
    """Collecting metrics at `port` of `pods`, of every pod of the namespace unless some are named."""
    return Flow(
        name=name,
        direction=Direction.INGRESS,
        peers=(collector(settings),),
        ports=(Port(port),),
        pods=dict(pods or {}),
    )
