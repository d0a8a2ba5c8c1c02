"""Rules, dashboards and the list of metrics as they stand in `helm/`, and the access that tests give Grafana."""

from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.components.monitoring.grafana import GrafanaAccess

RULES = sorted((HELM / "monitors" / "rules").glob("*.yaml"))
DASHBOARDS = sorted((HELM / "dashboards" / "files").glob("*.json"))
LISTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(HELM / "monitors" / "metrics.yaml")
"""Metrics by the exporter that emits them."""
ACCESS = GrafanaAccess(
    tenant_id="tenant",
    login_client_id="login",
    group_id="group",
    identity_client_id="identity",
    subscription_id="subscription",
    metrics_url="https://metrics",
)
