"""Metrics, dashboards and alerts: where metrics are kept, how much of them, and who is notified of an alert."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .one_way.marks import CanOnlyGrow, DeletesOlder
from .types import DnsName, EmailAddress, Model, Unique


class MetricsStore(StrEnum):
    """Who collects and keeps the metrics of the cluster."""

    PROMETHEUS = "prometheus"
    """Prometheus in the cluster, on a disk that goes with the cluster."""
    AZURE_MONITOR = "azure-monitor"
    """Azure Monitor managed Prometheus: kept for 18 months outside the cluster, paid by sample."""


class AlertReceiver(StrEnum):
    """How people are notified of an alert."""

    NONE = "none"
    EMAIL = "email"
    WEBHOOK = "webhook"
    TEAMS = "teams"


class SmtpSettings(Model):
    """The mail server that Alertmanager sends through; its password: secret `alert-smtp-password` of the vault."""

    host: DnsName
    """Name of the server; it has to offer STARTTLS."""
    port: Literal[587, 2525] = 587
    """Port of the server; Azure lets nothing out to port 25."""
    sender: EmailAddress
    """Address that alerts come from."""
    username: Annotated[str, Field(min_length=1, max_length=256)]
    """Account at the mail server."""


class AlertSettings(Model):
    """Who is notified of an alert."""

    receiver: AlertReceiver = AlertReceiver.NONE
    """`email` (needs `smtp` and `email_addresses`), `webhook` or `teams` (their address is the vault's
    secret `alert-webhook-url`), or `none`: alerts are then only shown in Grafana."""
    email_addresses: Annotated[tuple[EmailAddress, ...], Unique] = ()
    """Who gets mail. Azure mails them alerts of database and backups and, with `azure-monitor`, of the cluster."""
    smtp: SmtpSettings | None = None
    """Mail server for the receiver `email`; mail of Azure itself needs none."""


class MonitoringSettings(Model):
    """Metrics, dashboards and alerts."""

    enabled: bool = True
    """Whether the platform collects metrics, shows dashboards at grafana.<domain> and raises alerts."""
    metrics: MetricsStore = MetricsStore.PROMETHEUS
    """`prometheus` runs in the cluster; `azure-monitor` lets Azure collect and keep metrics outside of it, for a price
    per sample."""
    retention_days: Annotated[
        int,
        Field(ge=1, le=365),
        DeletesOlder(
            stack="platform",
            why="Prometheus deletes older metrics",
            only_while=(("monitoring.enabled", "true"),),
            agreeable=True,
        ),
    ] = 15
    """How long Prometheus keeps metrics; Azure Monitor always keeps 18 months."""
    prometheus_disk_gib: Annotated[
        int,
        Field(ge=8, le=4096),
        CanOnlyGrow(
            stack="platform",
            why="Kubernetes shrinks no volume",
            only_while=(("monitoring.metrics", "prometheus"), ("monitoring.enabled", "true")),
        ),
    ] = 64
    """Disk of each Prometheus; metrics beyond nine tenths of it are dropped, oldest first."""
    prometheus_memory_gib: Annotated[int, Field(ge=1, le=128)] = 3
    """Most memory that each Prometheus may take; about 1 GiB for 150 000 series."""
    scrape_interval_seconds: Annotated[int, Field(ge=15, le=120)] = 30
    """How often every target is asked for its metrics."""
    dashboards_for_everyone: bool = True
    """Whether all members of the access group may look at dashboards, or only those with the role `admin`."""
    alerts: AlertSettings = AlertSettings()
    """Who is notified of an alert."""
