"""Where Grafana answers: names on which everything around it has to agree."""

SERVICE = "grafana"
SERVICE_PORT = 80
POD_PORT = 3000
PODS = {"app.kubernetes.io/name": "grafana"}

PROMETHEUS_URL = "http://prometheus-prometheus:9090"
ALERTMANAGER_URL = "http://prometheus-alertmanager:9093"
