"""Chart values of monitoring that only the stack knows.

Keys: https://github.com/prometheus-community/helm-charts/blob/kube-prometheus-stack-88.5.3/charts/kube-prometheus-stack/values.yaml
"""

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.common.yaml_text import parsed
from stacks.platform.common.catalogue import HELM, Image, images_of
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents
from stacks.settings import Settings
from stacks.settings.monitoring import AlertReceiver, MetricsStore, MonitoringSettings

from .grafana import GrafanaAccess, grafana
from .receivers import SECRET, alertmanager_config
from .shown import alert_files, dashboard_files

RELEASE = "kube-prometheus-stack"
PRIORITY = "monitoring"
"""Priority class: what tells of a full node must not be the first that is removed from it."""
STORAGE_CLASS = "managed-csi"
"""AKS's own class of standard SSDs, zone-redundant in a cluster with zones."""
AZURE_LABEL_LIMITS = {"labelLimit": 63, "labelNameLengthLimit": 511, "labelValueLengthLimit": 1023}
"""What Azure's add-on asks of every monitor of ours
(https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-crd)."""
KEPT_PERCENT = 90
"""Part of the disk that metrics may fill; the write-ahead log and compaction need the rest."""


def variants(metrics: MetricsStore, availability: tuple[str, ...]) -> tuple[str, ...]:
    """Values files beside the base."""
    return ("azure-monitor",) if metrics is MetricsStore.AZURE_MONITOR else availability


def kube_prometheus_stack(settings: Settings, images: Mapping[str, Image], access: GrafanaAccess) -> dict[str, Any]:
    """Values of Prometheus, Alertmanager, exporters and Grafana."""
    shown = grafana(settings, images, access)
    if settings.monitoring.metrics is MetricsStore.AZURE_MONITOR:
        return {"grafana": shown}
    own = images_of(RELEASE, images)
    interval = f"{settings.monitoring.scrape_interval_seconds}s"
    return {
        "crds": {
            "upgradeJob": {
                "image": {"busybox": own["crd-busybox"].parts(), "kubectl": own["crd-kubectl"].parts()},
            }
        },
        "prometheusOperator": {
            "image": own["operator"].parts(),
            "prometheusConfigReloader": {"image": own["config-reloader"].parts()},
        },
        "prometheus": {
            "prometheusSpec": {
                **_versioned(own["prometheus"]),
                "priorityClassName": PRIORITY,
                "scrapeInterval": interval,
                "evaluationInterval": interval,
                "retention": f"{settings.monitoring.retention_days}d",
                "retentionSize": f"{settings.monitoring.prometheus_disk_gib * 1024 * KEPT_PERCENT // 100}MiB",
                "externalLabels": {"platform": settings.prefix, "environment": settings.name},
                "resources": _prometheus_resources(settings.monitoring),
                "storageSpec": {"volumeClaimTemplate": {"spec": _claim(settings.monitoring.prometheus_disk_gib)}},
            }
        },
        "alertmanager": {
            "config": alertmanager_config(settings.monitoring.alerts),
            "alertmanagerSpec": {
                **_versioned(own["alertmanager"]),
                "priorityClassName": PRIORITY,
                "secrets": [] if settings.monitoring.alerts.receiver is AlertReceiver.NONE else [SECRET],
            },
        },
        "kube-state-metrics": {"image": own["kube-state-metrics"].parts(), "priorityClassName": PRIORITY},
        "prometheus-node-exporter": {**_versioned(own["node-exporter"]), "priorityClassName": PRIORITY},
        "grafana": shown,
    }


def monitors(components: EnabledComponents) -> dict[str, Any]:
    """Values of the own chart with monitors and alerts."""
    monitoring = components.settings.monitoring
    azure = monitoring.metrics is MetricsStore.AZURE_MONITOR
    return {
        "apiVersion": "azmonitoring.coreos.com/v1" if azure else "monitoring.coreos.com/v1",
        "limits": AZURE_LABEL_LIMITS if azure else {},
        "interval": f"{monitoring.scrape_interval_seconds}s",
        "targets": {target.name: target.values() for target in components.targets()},
        "rules": [] if azure else list(alert_files(components)),
    }


def shown_dashboards(
    components: Iterable[Component], *, subscription_id: str, resource_group: str, server: str
) -> dict[str, Any]:
    """Values of the own chart with the dashboards; `server` is the PostgreSQL server in `resource_group`."""
    return {
        "shown": list(dashboard_files(components)),
        "database": {
            "subscription": subscription_id,
            "resourceGroup": resource_group,
            "server": server,
        },
    }


def azure_keep_list() -> str:
    """Which metrics of Kubernetes Azure's add-on keeps besides its own choice: those that `metrics.yaml` lists.

    Format: https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
    """
    listed = parsed((HELM / "monitors" / "metrics.yaml").read_text("utf-8"))
    kept = {job: "|".join(listed[exporter]["metrics"]) for job, exporter in _AZURE_JOBS.items()}
    return "\n".join([*(f'{job} = "{names}"' for job, names in kept.items()), "minimalingestionprofile = true"])


_AZURE_JOBS = {
    "kubelet": "kubelet",
    "cadvisor": "cadvisor",
    "kubestate": "kube-state-metrics",
    "nodeexporter": "node-exporter",
}
"""Jobs of Azure's add-on to exporters of `helm/monitors/metrics.yaml`."""


def _versioned(image: Image) -> dict[str, Any]:
    """Image and version of what the chart would read the version of from the tag, which may end in a digest."""
    return {"image": image.parts(), "version": image.tag}


def _prometheus_resources(monitoring: MonitoringSettings) -> dict[str, Any]:
    limit = monitoring.prometheus_memory_gib
    return {"requests": {"cpu": "200m", "memory": f"{limit * 512}Mi"}, "limits": {"memory": f"{limit}Gi"}}


def _claim(size_gib: int) -> dict[str, Any]:
    return {
        "storageClassName": STORAGE_CLASS,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{size_gib}Gi"}},
    }
