"""The AKS cluster with its system pool."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.kubernetes_cluster import (
    KubernetesCluster,
    KubernetesClusterAzureActiveDirectoryRoleBasedAccessControl,
    KubernetesClusterDefaultNodePool,
    KubernetesClusterDefaultNodePoolUpgradeSettings,
    KubernetesClusterIdentity,
    KubernetesClusterIngressApplicationGateway,
    KubernetesClusterKeyVaultSecretsProvider,
    KubernetesClusterKubeletIdentity,
    KubernetesClusterMonitorMetrics,
    KubernetesClusterOmsAgent,
    KubernetesClusterStorageProfile,
    KubernetesClusterWorkloadAutoscalerProfile,
)
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from constructs.node_pool import DRAIN_TIMEOUT_MINUTES, MAX_SURGE, NODE_SOAK_MINUTES
from constructs.resource_group import ResourceGroup
from stacks.common.azure_names import AzureNames, rotation_pool_name
from stacks.common.outputs import AddressOutputs, NetworkOutputs
from stacks.settings.azure import ClusterAccess, OperatorSettings
from stacks.settings.cluster import ApiAccess, ClusterSettings
from stacks.settings.network import NetworkSettings, Outbound

from . import profiles

SYSTEM_POOL = "system"
IMAGE_CLEANER_HOURS = 48
SECRET_ROTATION_INTERVAL = "2m"  # noqa: S105


def add_cluster(
    scope: Construct,
    *,
    cluster: ClusterSettings,
    network_settings: NetworkSettings,
    zones: Sequence[int],
    operators: OperatorSettings,
    longest_grace_seconds: int,
    pools_in_order: bool,
    azure_metrics: bool,
    ingress_gateway: bool,
    names: AzureNames,
    group: ResourceGroup,
    network: NetworkOutputs,
    address: AddressOutputs,
    control_plane: UserAssignedIdentity,
    kubelet: UserAssignedIdentity,
    tenant_id: str,
    log_workspace_id: str,
    no_proxy: Sequence[str],
    company_roots: Sequence[str],
    tags: Mapping[str, str],
    depends_on: Sequence[ITerraformDependable],
) -> KubernetesCluster:
    """Add the cluster with its system pool.

    `depends_on` are the roles without which Azure refuses to create it. What is stated here although Azure has it as
    default would otherwise change with azurerm 5, or be a difference on every plan.
    """
    nat_address = address.outbound_ip_address if network_settings.outbound is Outbound.NAT_GATEWAY else None
    return KubernetesCluster(
        scope,
        "cluster",
        name=names.resource("aks"),
        location=group.location,
        resource_group_name=group.name,
        node_resource_group=names.resource_group("aks-nodes"),
        dns_prefix=names.base,
        kubernetes_version=cluster.kubernetes_version,
        sku_tier=cluster.tier,
        support_plan="AKSLongTermSupport" if cluster.long_term_support else "KubernetesOfficial",
        cost_analysis_enabled=cluster.cost_analysis,
        automatic_upgrade_channel=profiles.upgrade_channel(cluster),
        node_os_upgrade_channel="None" if cluster.maintenance.held else "NodeImage",
        maintenance_window=profiles.planned_maintenance(cluster.maintenance),
        maintenance_window_auto_upgrade=profiles.cluster_window(cluster.maintenance),
        maintenance_window_node_os=profiles.node_window(cluster.maintenance),
        identity=KubernetesClusterIdentity(type="UserAssigned", identity_ids=[control_plane.id]),
        kubelet_identity=KubernetesClusterKubeletIdentity(
            client_id=kubelet.client_id, object_id=kubelet.principal_id, user_assigned_identity_id=kubelet.id
        ),
        role_based_access_control_enabled=True,
        local_account_disabled=True,
        azure_active_directory_role_based_access_control=KubernetesClusterAzureActiveDirectoryRoleBasedAccessControl(
            azure_rbac_enabled=True,
            tenant_id=tenant_id,
            admin_group_object_ids=list(cluster.extra_admin_group_ids) or None,
        ),
        oidc_issuer_enabled=True,
        workload_identity_enabled=True,
        private_cluster_enabled=cluster.api_access is ApiAccess.PRIVATE,
        private_dns_zone_id="System" if cluster.api_access is ApiAccess.PRIVATE else None,
        private_cluster_public_fqdn_enabled=False,
        api_server_access_profile=profiles.api_access(cluster, operators, nat_address),
        run_command_enabled=operators.cluster_access is ClusterAccess.COMMAND_INVOKE,
        network_profile=profiles.network(network_settings, outbound_ip_id=address.outbound_ip_id),
        default_node_pool=_system_pool(cluster, zones, network.nodes_subnet_id, tags),
        auto_scaler_profile=profiles.autoscaler(longest_grace_seconds, pools_in_order=pools_in_order),
        workload_autoscaler_profile=KubernetesClusterWorkloadAutoscalerProfile(
            keda_enabled=True, vertical_pod_autoscaler_enabled=False
        ),
        storage_profile=KubernetesClusterStorageProfile(
            disk_driver_enabled=True,
            file_driver_enabled=True,
            blob_driver_enabled=False,
            snapshot_controller_enabled=True,
        ),
        http_proxy_config=profiles.http_proxy(
            network_settings.egress_proxy, no_proxy=no_proxy, company_roots=company_roots
        ),
        custom_ca_trust_certificates_base64=[profiles.base64_text(roots) for roots in company_roots] or None,
        disk_encryption_set_id=cluster.disk_encryption_set_id,
        key_vault_secrets_provider=KubernetesClusterKeyVaultSecretsProvider(
            secret_rotation_enabled=True, secret_rotation_interval=SECRET_ROTATION_INTERVAL
        ),
        azure_policy_enabled=cluster.azure_policy,
        http_application_routing_enabled=False,
        image_cleaner_enabled=True,
        image_cleaner_interval_hours=IMAGE_CLEANER_HOURS,
        monitor_metrics=KubernetesClusterMonitorMetrics() if azure_metrics else None,
        oms_agent=KubernetesClusterOmsAgent(
            log_analytics_workspace_id=log_workspace_id, msi_auth_for_monitoring_enabled=True
        ),
        ingress_application_gateway=(
            KubernetesClusterIngressApplicationGateway(gateway_id=network.application_gateway_id)
            if ingress_gateway
            else None
        ),
        tags=dict(tags),
        lifecycle=TerraformResourceLifecycle(ignore_changes=["default_node_pool[0].node_count"]),
        depends_on=list(depends_on),
    )


def _system_pool(
    cluster: ClusterSettings, zones: Sequence[int], subnet_id: str, tags: Mapping[str, str]
) -> KubernetesClusterDefaultNodePool:
    """Return the system pool; nothing that an environment file can change in it replaces the cluster.

    Of its attributes only name, `type`, `gpu_driver` and placement would: they are fixed or left out.
    """
    pool = cluster.system_pool
    return KubernetesClusterDefaultNodePool(
        name=SYSTEM_POOL,
        temporary_name_for_rotation=rotation_pool_name(SYSTEM_POOL),
        type="VirtualMachineScaleSets",
        only_critical_addons_enabled=True,
        os_sku="Ubuntu",
        orchestrator_version=cluster.kubernetes_version,
        vm_size=pool.vm_size,
        zones=[str(zone) for zone in sorted(zones)] or None,
        vnet_subnet_id=subnet_id,
        node_public_ip_enabled=False,
        auto_scaling_enabled=True,
        min_count=pool.min_nodes,
        max_count=pool.max_nodes,
        max_pods=cluster.max_pods_per_node,
        os_disk_size_gb=pool.os_disk_gib,
        os_disk_type="Ephemeral" if pool.ephemeral_os_disk else "Managed",
        host_encryption_enabled=cluster.host_encryption,
        upgrade_settings=KubernetesClusterDefaultNodePoolUpgradeSettings(
            max_surge=MAX_SURGE,
            drain_timeout_in_minutes=DRAIN_TIMEOUT_MINUTES,
            node_soak_duration_in_minutes=NODE_SOAK_MINUTES,
        ),
        tags=dict(tags),
    )
