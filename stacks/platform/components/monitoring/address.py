"""Where Grafana answers: names on which everything around it has to agree."""

from stacks.common.hosts import Host
from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.traffic import MONITORING

from .routes import ROUTES

ACCOUNT = WorkloadAccount(MONITORING, "grafana")
"""The account of Grafana, which logs people in itself and reads Azure's own metrics."""
HOST = Host(
    label="grafana",
    title="dashboards",
    namespace=MONITORING,
    ingress="grafana",
    routes=ROUTES,
    guarded_path="/api/org",
    callback_path="/login/azuread",
    login_path="/login/azuread",
)

SERVICE = "grafana"
SERVICE_PORT = 80
POD_PORT = 3000
PODS = {"app.kubernetes.io/name": "grafana"}

PROMETHEUS_URL = "http://prometheus-prometheus:9090"
ALERTMANAGER_SERVICE = "prometheus-alertmanager"
ALERTMANAGER_URL = f"http://{ALERTMANAGER_SERVICE}:9093"

NODE_METRICS = "node-metrics"
"""Namespace of the exporters that mount a node's root."""
