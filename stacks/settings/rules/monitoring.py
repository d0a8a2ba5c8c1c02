"""Alerts: a receiver has what it needs."""

from collections.abc import Iterator

from ..identity import IdentitySettings
from ..monitoring import AlertReceiver, MetricsStore, MonitoringSettings
from .base import Finding


def receivers_have_what_they_need(monitoring: MonitoringSettings) -> Iterator[Finding]:
    """Mail needs addresses, and from Alertmanager a server; what Azure sends needs none."""
    alerts = monitoring.alerts
    if not monitoring.enabled:
        return
    mails = alerts.receiver is AlertReceiver.EMAIL
    if mails and not alerts.email_addresses:
        yield Finding(
            ("monitoring", "alerts", "email_addresses"), "is empty, but receiver is email; write at least one"
        )
    if mails and alerts.smtp is None and monitoring.metrics is MetricsStore.PROMETHEUS:
        yield Finding(
            ("monitoring", "alerts", "smtp"),
            "is missing, but receiver is email; name host, sender and username of a mail server",
        )
    if alerts.smtp is not None and not mails:
        yield Finding(
            ("monitoring", "alerts", "smtp"), f"has no effect with receiver {alerts.receiver}; remove it or write email"
        )


def azure_monitor_sends_mail(monitoring: MonitoringSettings) -> Iterator[Finding]:
    """Azure's alerts go to mail addresses: a webhook's address is a secret, which would stand in the state."""
    alerts = monitoring.alerts
    if (
        monitoring.enabled
        and monitoring.metrics is MetricsStore.AZURE_MONITOR
        and alerts.receiver in {AlertReceiver.WEBHOOK, AlertReceiver.TEAMS}
    ):
        yield Finding(("monitoring", "alerts", "receiver"), "cannot be reached by azure-monitor; write email or none")


def somebody_sees_the_dashboards(monitoring: MonitoringSettings, identity: IdentitySettings) -> Iterator[Finding]:
    """Roles are in tokens only where Entra knows who is assigned to the application."""
    if monitoring.enabled and not monitoring.dashboards_for_everyone and not identity.assignment_required:
        yield Finding(
            ("monitoring", "dashboards_for_everyone"),
            "would keep everybody out: without identity.assignment_required nobody has the role admin; write true",
        )


RULES = (receivers_have_what_they_need, azure_monitor_sends_mail, somebody_sees_the_dashboards)
