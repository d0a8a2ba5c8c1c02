"""Alerts on what only Azure can measure: the database server and the backups of the disks."""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_azurerm.monitor_metric_alert import (
    MonitorMetricAlert,
    MonitorMetricAlertAction,
    MonitorMetricAlertCriteria,
    MonitorMetricAlertCriteriaDimension,
)
from constructs import Construct

from .resource_group import ResourceGroup

POSTGRESQL = "Microsoft.DBforPostgreSQL/flexibleServers"
BACKUP_VAULT = "Microsoft.DataProtection/BackupVaults"
CRITICAL, WARNING = 1, 2
"""Azure's severities, from 0 (critical) to 4 (verbose)."""


class AzureAlerts(Construct):
    """Metric alerts, mailed to `email_addresses`; without addresses they only show in Azure.

    Metrics: https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/metrics-index
    """

    action_group_ids: list[str]
    """Receivers for alerts that other services raise; empty without an address."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        short_name: str,
        group: ResourceGroup,
        email_addresses: Sequence[str],
        tags: Mapping[str, str],
    ) -> None:
        """Add the action group; `short_name`, at most 12 characters, appears in its notifications."""
        super().__init__(scope, id_)
        self._name = name
        self._group = group
        self._tags = dict(tags)
        self.action_group_ids = []
        if email_addresses:
            # Here: the binding is slow to import.
            from cdktf_cdktf_provider_azurerm.monitor_action_group import (  # noqa: PLC0415
                MonitorActionGroup,
                MonitorActionGroupEmailReceiver,
            )

            receivers = MonitorActionGroup(
                self,
                "receivers",
                name=name,
                resource_group_name=group.name,
                short_name=short_name[:12],
                email_receiver=[
                    MonitorActionGroupEmailReceiver(name=address, email_address=address, use_common_alert_schema=True)
                    for address in email_addresses
                ],
                tags=self._tags,
            )
            self.action_group_ids.append(receivers.id)

    def watch_database(self, server_id: str) -> None:
        """Alert when the server is nearly full or does not answer."""
        self._alert(
            "database-disk",
            server_id,
            "PostgreSQL's storage is more than 80 % full; raise database.storage_gib or let it grow by itself.",
            MonitorMetricAlertCriteria(
                metric_namespace=POSTGRESQL,
                metric_name="storage_percent",
                aggregation="Average",
                operator="GreaterThan",
                threshold=80,
            ),
        )
        self._alert(
            "database-down",
            server_id,
            "PostgreSQL does not answer; chat and gateway cannot work.",
            MonitorMetricAlertCriteria(
                metric_namespace=POSTGRESQL,
                metric_name="is_db_alive",
                aggregation="Maximum",
                operator="LessThan",
                threshold=1,
            ),
            severity=CRITICAL,
        )

    def watch_backups(self, vault_id: str) -> None:
        """Alert on every disk backup that failed."""
        self._alert(
            "backup-failed",
            vault_id,
            "A backup of a data disk failed; the jobs of the Backup vault tell why.",
            MonitorMetricAlertCriteria(
                metric_namespace=BACKUP_VAULT,
                metric_name="BackupHealthEvent",
                aggregation="Count",
                operator="GreaterThan",
                threshold=0,
                dimension=[
                    MonitorMetricAlertCriteriaDimension(name="healthStatus", operator="Exclude", values=["Healthy"])
                ],
                # The metric does not exist before the first backup.
                skip_metric_validation=True,
            ),
            window="PT1H",
        )

    def _alert(
        self,
        id_: str,
        resource_id: str,
        description: str,
        criteria: MonitorMetricAlertCriteria,
        *,
        severity: int = WARNING,
        window: str = "PT15M",
    ) -> None:
        MonitorMetricAlert(
            self,
            id_,
            name=f"{self._name}-{id_}",
            resource_group_name=self._group.name,
            scopes=[resource_id],
            description=description,
            criteria=[criteria],
            severity=severity,
            frequency="PT5M",
            window_size=window,
            action=[MonitorMetricAlertAction(action_group_id=group_id) for group_id in self.action_group_ids],
            tags=self._tags,
        )
