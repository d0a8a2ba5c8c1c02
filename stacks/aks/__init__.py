"""The cluster, its node pools, the identities of its workloads, and role assignments."""

from dataclasses import fields

from cdktf import Fn
from cdktf_cdktf_provider_azurerm.kubernetes_cluster import KubernetesCluster
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from constructs.cluster_logs import ClusterLogs
from stacks.common import wiring
from stacks.common.base import EnvironmentStack, Tier
from stacks.common.outputs import (
    AcrOutputs,
    AddressOutputs,
    AksOutputs,
    CloudAksOutputs,
    DatabaseOutputs,
    DisksOutputs,
    IdentityOutputs,
    NetworkOutputs,
    PrivateNetworkOutputs,
)
from stacks.platform.common.egress import no_proxy
from stacks.platform.common.timeouts import longest_grace_seconds
from stacks.platform.components.cloud_models.address import resource_ids
from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.monitoring.address import ACCOUNT as GRAFANA
from stacks.platform.components.monitoring.alerts import alerts
from stacks.settings.egress import one_each
from stacks.settings.network import Outbound

from .access import ControlPlaneRoles, GatewayControllerRoles, add_operators, allow_pipeline, allow_pulling
from .cluster import add_cluster
from .logs import collect_logs
from .monitoring import Monitoring, add_monitoring
from .pools import add_pools
from .profiles import has_gateway, scrapes_for_azure
from .workload_identities import add_workload_identity, trust_logins
from .workload_roles import (
    add_cert_manager,
    add_certificate_keeper,
    add_cloud_caller,
    add_preparer,
    add_vault_reader,
    kept_names,
)


class AksStack(EnvironmentStack):
    """Owns the cluster, its pools and logs, workload identities, and roles on what the durable stacks own.

    Needs subnets and public addresses, the Entra application, disks, registry and vault. Outputs how to reach the
    cluster and the identities of its workloads.
    """

    stack_name = "aks"
    tier = Tier.DISPOSABLE

    def __init__(
        self,
        scope: Construct,
        components: EnabledComponents,
        *,
        network: wiring.Producer[NetworkOutputs],
        identity: wiring.Producer[IdentityOutputs],
        disks: wiring.Producer[DisksOutputs],
        acr: wiring.Producer[AcrOutputs],
        database: wiring.Producer[DatabaseOutputs],
        address: wiring.Producer[AddressOutputs],
    ) -> None:
        settings = components.settings
        super().__init__(scope, settings)
        self._components = components
        self._network = self.read(network)
        self._database = self.read(database)
        self._address = self.read(address)
        self._logs = ClusterLogs(
            self,
            "logs",
            name=self.names.resource("logs"),
            group=self.resource_group,
            retention_days=settings.cluster.log_analytics_retention_days,
            tags=self.tags,
        )
        kept = self.read(disks)
        cluster = self._cluster(kept, self.read(acr))
        add_operators(self, object_ids=settings.operators.object_ids, cluster=cluster)
        schedules = {
            "backups": (settings.backups.pipeline_object_id, self.names.backup_role),
            "off-hours": (settings.cluster.off_hours.pipeline_object_id, self.names.off_hours_role),
        }
        for schedule, (object_id, role) in schedules.items():
            allow_pipeline(self, schedule, object_id=object_id, role=role, cluster=cluster)
        add_pools(
            self, cluster=settings.cluster, zones=settings.azure.zones, cluster_id=cluster.id, network=self._network
        )
        collect_logs(
            self._logs,
            cluster_id=cluster.id,
            database=self._database,
            gateway_id=self._network.application_gateway_id if has_gateway(settings.ingress) else None,
        )
        if settings.identity.manage:
            trust_logins(
                self,
                self._components.login_accounts(),
                cluster=cluster,
                application_id=self.read(identity).application_id,
            )
        vault_id = self._database.vault_id
        external_secrets_client_id = add_vault_reader(self, cluster=cluster, vault_id=vault_id)
        databases = add_preparer(self, cluster=cluster, vault_id=vault_id) if "databases" in components else ""
        cert_manager_client_id = add_cert_manager(self, cluster=cluster)
        certificate_keeper_client_id = add_certificate_keeper(
            self, kept_names(settings, components.hosts()), cluster=cluster, vault_id=vault_id
        )
        monitoring = self._monitoring(cluster, kept) if "monitoring" in components else Monitoring()
        access = cluster.kube_config.get(0)
        self.outputs = AksOutputs(
            resource_group_name=self.resource_group.name,
            cluster_id=cluster.id,
            cluster_name=cluster.name,
            # azurerm marks the whole block as secret; without local accounts it holds none.
            api_url=Fn.nonsensitive(access.host),
            ca_certificate=Fn.nonsensitive(access.cluster_ca_certificate),
            oidc_issuer_url=cluster.oidc_issuer_url,
            node_resource_group_name=cluster.node_resource_group,
            external_secrets_client_id=external_secrets_client_id,
            cert_manager_client_id=cert_manager_client_id,
            databases_client_id=databases,
            certificate_keeper_client_id=certificate_keeper_client_id,
            grafana_client_id=monitoring.grafana_client_id,
            metrics_url=monitoring.metrics_url,
            log_analytics_workspace_id=self._logs.workspace.id,
            one_way=self.one_way,
        )
        if azure_openai := resource_ids(settings.cloud_models):
            self.outputs = CloudAksOutputs(
                **{field.name: getattr(self.outputs, field.name) for field in fields(self.outputs)},
                cloud_models_client_id=add_cloud_caller(self, azure_openai, cluster=cluster),
            )
        wiring.publish(self, self.outputs)

    def _identity(self, name: str) -> UserAssignedIdentity:
        return UserAssignedIdentity(
            self,
            name,
            name=self.names.resource(name),
            location=self.resource_group.location,
            resource_group_name=self.resource_group.name,
            tags=self.tags,
        )

    def _cluster(self, disks: DisksOutputs, acr: AcrOutputs) -> KubernetesCluster:
        settings = self.settings
        control_plane = self._identity("control-plane")
        kubelet = self._identity("kubelet")
        roles = ControlPlaneRoles(
            self,
            "control-plane-roles",
            disk_encryption_set_id=settings.cluster.disk_encryption_set_id,
            load_balancer=not has_gateway(settings.ingress),
            ingress_subnet_id=(
                self._network.ingress_subnet_id if isinstance(self._network, PrivateNetworkOutputs) else None
            ),
            control_plane=control_plane,
            kubelet=kubelet,
            network=self._network,
            address=self._address,
            outbound_address=settings.network.outbound is Outbound.LOAD_BALANCER,
            disks=disks,
        )
        allow_pulling(self, kubelet=kubelet, acr=acr)
        cluster = add_cluster(
            self,
            cluster=settings.cluster,
            network_settings=settings.network,
            zones=settings.azure.zones,
            operators=settings.operators,
            longest_grace_seconds=longest_grace_seconds(settings.serving),
            pools_in_order=any(model.later_pools for model in settings.models),
            azure_metrics=scrapes_for_azure(settings.monitoring),
            ingress_gateway=has_gateway(settings.ingress),
            names=self.names,
            group=self.resource_group,
            network=self._network,
            address=self._address,
            control_plane=control_plane,
            kubelet=kubelet,
            tenant_id=self._database.tenant_id,
            log_workspace_id=self._logs.workspace.id,
            no_proxy=no_proxy(settings),
            company_roots=one_each(settings.trust.company_roots),
            tags=self.tags,
            depends_on=roles.before_cluster,
        )
        if has_gateway(self.settings.ingress):
            gateway = self.settings.ingress.application_gateway
            GatewayControllerRoles(
                self,
                "gateway-controller-roles",
                cluster=cluster,
                network=self._network,
                public_ip_id=self._address.public_ip_id,
                firewall=gateway is not None and gateway.sku == "WAF_v2",
            )
        return cluster

    def _monitoring(self, cluster: KubernetesCluster, disks: DisksOutputs) -> Monitoring:
        grafana = add_workload_identity(self, "grafana", GRAFANA, cluster=cluster)
        return add_monitoring(
            self,
            alerts=alerts(self._components),
            cluster=cluster,
            grafana=grafana,
            database=self._database,
            disks=disks,
        )
