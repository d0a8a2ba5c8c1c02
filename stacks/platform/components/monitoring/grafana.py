"""Grafana: the login by Entra, its data sources, and what it is called.

Settings: https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/azuread/
(13.2). They are given as environment variables, which win over the file of the chart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.platform.common.accounts import identity_annotations
from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_annotations import HSTS, Exposure, own_hsts
from stacks.settings import Settings
from stacks.settings.monitoring import MetricsStore, MonitoringSettings
from stacks.settings.network import IngressMode

from . import secrets
from .address import ALERTMANAGER_URL, HOST, PROMETHEUS_URL, SERVICE

EXPOSURE = Exposure(service=SERVICE, health_path="/api/health", body_mib=10, timeout_seconds=60)

AZURE_PROMETHEUS_PLUGIN = "grafana-azureprometheus-datasource"
"""Since Grafana 13 the data source `prometheus` cannot log in to Azure any more; this plugin can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaAccess:
    """Who Grafana is in Azure, and who may log in; values may be Terraform tokens."""

    tenant_id: str
    login_client_id: str
    """The application that people log in with."""
    group_id: str
    """Members may look at dashboards."""
    identity_client_id: str
    """Managed identity that reads Azure's own metrics."""
    subscription_id: str
    metrics_url: str
    """Where metrics in Azure Monitor are asked for; empty unless they are kept there."""


def grafana(settings: Settings, images: Mapping[str, Image], access: GrafanaAccess) -> dict[str, Any]:
    """Values of Grafana."""
    azure = settings.monitoring.metrics is MetricsStore.AZURE_MONITOR
    return {
        "image": images["kube-prometheus-stack/grafana"].parts(),
        "podAnnotations": {"platform/secret-versions": secrets.versions(settings.secrets.versions)},
        "serviceAccount": {"annotations": identity_annotations(access.identity_client_id, access.tenant_id)},
        "envFromSecrets": [{"name": secrets.GRAFANA}],
        "env": _environment(settings, access),
        "datasources": {
            "datasources.yaml": {
                "apiVersion": 1,
                "prune": True,
                "datasources": [
                    _azure_prometheus(access) if azure else _prometheus(settings.monitoring),
                    *([] if azure else [_ALERTMANAGER]),
                    _azure_monitor(access),
                ],
            }
        },
        **({"plugins": [AZURE_PROMETHEUS_PLUGIN]} if azure else {}),
    }


def _environment(settings: Settings, access: GrafanaAccess) -> dict[str, str]:
    login = f"https://login.microsoftonline.com/{access.tenant_id}/oauth2/v2.0"
    return {
        "GF_SERVER_ROOT_URL": f"{HOST.url(settings.domain)}/",
        "GF_AUTH_AZUREAD_CLIENT_ID": access.login_client_id,
        "GF_AUTH_AZUREAD_AUTH_URL": f"{login}/authorize",
        "GF_AUTH_AZUREAD_TOKEN_URL": f"{login}/token",
        "GF_AUTH_AZUREAD_ALLOWED_ORGANIZATIONS": access.tenant_id,
        "GF_AUTH_AZUREAD_ALLOWED_GROUPS": access.group_id,
        # The application's role `admin` is Grafana's too; its role `user` is none of Grafana's.
        "GF_AUTH_AZUREAD_ROLE_ATTRIBUTE_STRICT": str(not settings.monitoring.dashboards_for_everyone).lower(),
        "GF_AZURE_WORKLOAD_IDENTITY_ENABLED": "true",
        # Its line of a request holds the address that a caller claims, unless NGINX wrote it; what fails stays.
        **({} if settings.ingress.mode is IngressMode.NGINX else {"GF_LOG_FILTERS": "context:error"}),
        # With Grafana's own keys: a year, without subdomains.
        "GF_SECURITY_STRICT_TRANSPORT_SECURITY": str(own_hsts(settings.ingress) is not None).lower(),
        "GF_SECURITY_STRICT_TRANSPORT_SECURITY_MAX_AGE_SECONDS": HSTS.removeprefix("max-age="),
    }


def _prometheus(monitoring: MonitoringSettings) -> dict[str, Any]:
    return {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": PROMETHEUS_URL,
        "isDefault": True,
        "jsonData": {"httpMethod": "POST", "timeInterval": f"{monitoring.scrape_interval_seconds}s"},
    }


_ALERTMANAGER = {
    "name": "Alertmanager",
    "uid": "alertmanager",
    "type": "alertmanager",
    "access": "proxy",
    "url": ALERTMANAGER_URL,
    "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
}


def _azure_prometheus(access: GrafanaAccess) -> dict[str, Any]:
    return {
        "name": "Azure Monitor (Prometheus)",
        "uid": "prometheus",
        "type": AZURE_PROMETHEUS_PLUGIN,
        "access": "proxy",
        "url": access.metrics_url,
        "isDefault": True,
        "jsonData": {
            "httpMethod": "POST",
            "azureCredentials": {"authType": "workloadidentity"},
        },
    }


def _azure_monitor(access: GrafanaAccess) -> dict[str, Any]:
    return {
        "name": "Azure Monitor",
        "uid": "azure-monitor",
        "type": "grafana-azure-monitor-datasource",
        "access": "proxy",
        "jsonData": {"azureAuthType": "workloadidentity", "subscriptionId": access.subscription_id},
    }
