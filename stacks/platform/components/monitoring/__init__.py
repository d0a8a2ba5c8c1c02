"""Prometheus, Alertmanager, exporters and Grafana: what is scraped, chart values, receivers of alerts, traffic."""
