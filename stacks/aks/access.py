"""Role assignments of the cluster's identities, its workloads and its operators.

Built-in roles only, on the narrowest scope that works; custom roles take minutes to delete.
"""

from collections.abc import Sequence

from cdktf_cdktf_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktf_cdktf_provider_azurerm.kubernetes_cluster import KubernetesCluster
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from constructs.role_assignment import RoleAssignment
from stacks.common.outputs import AcrOutputs, AddressOutputs, DisksOutputs, NetworkOutputs

CLUSTER_ADMIN = "Azure Kubernetes Service RBAC Cluster Admin"

ATTACH_DISKS = "Disk Restore Operator"
"""Its only powers over disks are reading and writing them: enough to attach and to grow, not to delete."""


class ControlPlaneRoles(Construct):
    """Roles of the cluster's own identity. `before_cluster` are those without which Azure refuses to create it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        disk_encryption_set_id: str | None,
        load_balancer: bool,
        ingress_subnet_id: str | None = None,
        control_plane: UserAssignedIdentity,
        kubelet: UserAssignedIdentity,
        network: NetworkOutputs,
        address: AddressOutputs,
        outbound_address: bool,
        disks: DisksOutputs,
    ) -> None:
        """Add the roles; with `load_balancer` the cluster puts one on the environment's public address.

        With `ingress_subnet_id` it puts one on a private address of that subnet instead.
        `outbound_address`: its load balancer sends outbound traffic from the environment's own address.
        """
        super().__init__(scope, id_)
        self._principal_id = control_plane.principal_id
        self.before_cluster = [
            self._role("nodes-subnet", "Network Contributor", network.nodes_subnet_id),
            self._role("kubelet", "Managed Identity Operator", kubelet.id),
        ]
        if disk_encryption_set_id:
            self.before_cluster.append(self._role("disk-key", "Reader", disk_encryption_set_id))
        if outbound_address:
            self.before_cluster.append(self._role("outbound", "Network Contributor", address.outbound_ip_id))
        self._role("disks", ATTACH_DISKS, disks.resource_group_id)
        if ingress_subnet_id:
            self._role("ingress-subnet", "Network Contributor", ingress_subnet_id)
        elif load_balancer:
            # The load balancer finds the address by listing its group, then marks it as taken.
            self._role("front-door-group", "Reader", address.resource_group_id)
            self._role("front-door", "Network Contributor", address.public_ip_id)

    def _role(self, id_: str, role: str, on: str) -> RoleAssignment:
        return RoleAssignment(self, id_, role=role, on=on, principal_id=self._principal_id)


class GatewayControllerRoles(Construct):
    """Roles of the ingress controller's identity, which AKS makes together with the add-on.

    It writes the gateway, and Azure wants the right to use everything that the gateway refers to:
    https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#permissions
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: KubernetesCluster,
        network: NetworkOutputs,
        public_ip_id: str,
        firewall: bool,
    ) -> None:
        super().__init__(scope, id_)
        principal_id = cluster.ingress_application_gateway.ingress_application_gateway_identity.get(0).object_id
        roles = {
            "group": ("Reader", network.resource_group_id),
            "gateway": ("Contributor", network.application_gateway_id),
            "gateway-subnet": ("Network Contributor", network.gateway_subnet_id),
            "front-door": ("Network Contributor", public_ip_id),
        }
        if firewall:
            roles["firewall"] = ("Network Contributor", network.firewall_policy_id)
        for construct, (role, on) in roles.items():
            RoleAssignment(self, construct, role=role, on=on, principal_id=principal_id)


def allow_pulling(scope: Construct, *, kubelet: UserAssignedIdentity, acr: AcrOutputs) -> None:
    """Let the nodes pull images from the environment's registry."""
    RoleAssignment(scope, "pull-images", role="AcrPull", on=acr.registry_id, principal_id=kubelet.principal_id)


def add_operators(scope: Construct, *, object_ids: Sequence[str], cluster: KubernetesCluster) -> None:
    """Let the operators administer the cluster; without any, the principal that first deployed it, and keep that."""
    for object_id in object_ids:
        RoleAssignment(
            scope,
            f"operator-{object_id}",
            role=CLUSTER_ADMIN,
            on=cluster.id,
            principal_id=object_id,
            principal_type=None,
        )
    if not object_ids:
        deployer = DataAzurermClientConfig(scope, "deployer").object_id
        RoleAssignment(
            scope,
            "operator",
            role=CLUSTER_ADMIN,
            on=cluster.id,
            principal_id=deployer,
            principal_type=None,
            keep_principal=True,
        )


def allow_pipeline(scope: Construct, id_: str, *, object_id: str | None, role: str, cluster: KubernetesCluster) -> None:
    """Give a schedule of a pipeline its custom role on the cluster, which went with the cluster before."""
    if object_id is not None:
        RoleAssignment(scope, id_, role=role, on=cluster.id, principal_id=object_id)
