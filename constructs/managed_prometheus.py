"""Azure Monitor managed Prometheus: where it keeps metrics, what it collects, which alerts it judges."""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_azurerm.monitor_alert_prometheus_rule_group import (
    MonitorAlertPrometheusRuleGroup,
    MonitorAlertPrometheusRuleGroupRule,
    MonitorAlertPrometheusRuleGroupRuleAction,
    MonitorAlertPrometheusRuleGroupRuleAlertResolution,
)
from cdktf_cdktf_provider_azurerm.monitor_data_collection_endpoint import MonitorDataCollectionEndpoint
from cdktf_cdktf_provider_azurerm.monitor_data_collection_rule import (
    MonitorDataCollectionRule,
    MonitorDataCollectionRuleDataFlow,
    MonitorDataCollectionRuleDataSources,
    MonitorDataCollectionRuleDataSourcesPrometheusForwarder,
    MonitorDataCollectionRuleDestinations,
    MonitorDataCollectionRuleDestinationsMonitorAccount,
)
from cdktf_cdktf_provider_azurerm.monitor_data_collection_rule_association import MonitorDataCollectionRuleAssociation
from cdktf_cdktf_provider_azurerm.monitor_workspace import MonitorWorkspace
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from stacks.platform.components.monitoring.alerts import AlertGroup

STREAM = "Microsoft-PrometheusMetrics"
_ACCOUNT = "workspace"


class ManagedPrometheus(Construct):
    """A workspace for the metrics of one cluster.

    Resources: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable (Terraform).
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, group: ResourceGroup, tags: Mapping[str, str]
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._group = group
        self._tags = dict(tags)
        self.workspace = MonitorWorkspace(
            self, "workspace", name=name, location=group.location, resource_group_name=group.name, tags=self._tags
        )

    def collect(self, cluster_id: str) -> None:
        """Send what the cluster's metrics add-on scrapes to the workspace."""
        endpoint = MonitorDataCollectionEndpoint(
            self,
            "endpoint",
            name=self._name,
            location=self._group.location,
            resource_group_name=self._group.name,
            kind="Linux",
            tags=self._tags,
        )
        rule = MonitorDataCollectionRule(
            self,
            "rule",
            name=f"{self._name}-metrics",
            location=self._group.location,
            resource_group_name=self._group.name,
            data_collection_endpoint_id=endpoint.id,
            kind="Linux",
            data_sources=MonitorDataCollectionRuleDataSources(
                prometheus_forwarder=[
                    MonitorDataCollectionRuleDataSourcesPrometheusForwarder(name="prometheus", streams=[STREAM])
                ]
            ),
            destinations=MonitorDataCollectionRuleDestinations(
                monitor_account=[
                    MonitorDataCollectionRuleDestinationsMonitorAccount(
                        name=_ACCOUNT, monitor_account_id=self.workspace.id
                    )
                ]
            ),
            data_flow=[MonitorDataCollectionRuleDataFlow(streams=[STREAM], destinations=[_ACCOUNT])],
            tags=self._tags,
        )
        MonitorDataCollectionRuleAssociation(
            self,
            "association",
            name="ContainerInsightsMetricsExtension",
            target_resource_id=cluster_id,
            data_collection_rule_id=rule.id,
        )

    def judge(
        self, groups: Sequence[AlertGroup], *, cluster_id: str, cluster_name: str, action_group_ids: Sequence[str]
    ) -> None:
        """Add the alerts of `groups`, for this cluster only."""
        for group in groups:
            MonitorAlertPrometheusRuleGroup(
                self,
                f"alerts-{group.name}",
                name=f"{self._name}-{group.name}",
                location=self._group.location,
                resource_group_name=self._group.name,
                cluster_name=cluster_name,
                scopes=[self.workspace.id, cluster_id],
                interval="PT1M",
                rule_group_enabled=True,
                rule=[
                    MonitorAlertPrometheusRuleGroupRule(
                        alert=alert.name,
                        expression=alert.expression,
                        for_=alert.iso_duration,
                        severity=alert.azure_severity,
                        labels=dict(alert.labels),
                        annotations=dict(alert.annotations),
                        enabled=True,
                        alert_resolution=MonitorAlertPrometheusRuleGroupRuleAlertResolution(
                            auto_resolved=True, time_to_resolve="PT10M"
                        ),
                        action=[
                            MonitorAlertPrometheusRuleGroupRuleAction(action_group_id=group_id)
                            for group_id in action_group_ids
                        ],
                    )
                    for alert in group.alerts
                ],
                tags=self._tags,
            )
