"""Which logs of Azure's own services the cluster's workspace keeps."""

from constructs.cluster_logs import ClusterLogs
from stacks.common.outputs import DatabaseOutputs

CONTROL_PLANE_LOGS = (
    "cluster-autoscaler",
    "cloud-controller-manager",
    "csi-azuredisk-controller",
    "guard",
    "kube-audit-admin",
)
"""Changes and logins, scaling, disks and addresses; reads (`kube-audit`) cost far more than they tell."""
GATEWAY_LOGS = ("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog")
VAULT_LOGS = ("AuditEvent",)
DATABASE_LOGS = ("PostgreSQLLogs",)


def collect_logs(logs: ClusterLogs, *, cluster_id: str, database: DatabaseOutputs, gateway_id: str | None) -> None:
    """Keep the logs of pods, control plane, vault and database, and of the Application Gateway where there is one."""
    logs.collect_pod_logs(cluster_id)
    logs.collect_resource_logs("control-plane", resource_id=cluster_id, categories=CONTROL_PLANE_LOGS, own_tables=True)
    logs.collect_resource_logs("vault", resource_id=database.vault_id, categories=VAULT_LOGS)
    logs.collect_resource_logs("database", resource_id=database.server_id, categories=DATABASE_LOGS)
    if gateway_id is not None:
        logs.collect_resource_logs("gateway", resource_id=gateway_id, categories=GATEWAY_LOGS, own_tables=True)
