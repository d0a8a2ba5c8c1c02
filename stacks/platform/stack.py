"""Everything inside the cluster: namespaces and their bounds, controllers, issuers, delivered secrets."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from constructs.cluster_providers import ClusterProviders
from stacks.common import wiring
from stacks.common.base import EnvironmentStack, Tier
from stacks.common.hosts import Hosts
from stacks.common.outputs import (
    AksOutputs,
    DatabaseOutputs,
    DisksOutputs,
    IdentityOutputs,
    NetworkOutputs,
    PlatformOutputs,
)
from stacks.settings import Settings
from stacks.settings.network import IngressMode

from .common.namespace_bounds import add_namespace
from .common.namespaces import namespaces
from .common.values import cluster_issuer, ingress_class
from .components.certificates.resources import add_certificates
from .components.chat.resources import add_chat
from .components.databases.resources import add_databases
from .components.gpu.resources import add_gpu
from .components.image_policy.resources import add_image_policy
from .components.ingress.resources import add_nginx
from .components.llm_gateway.resources import add_gateway
from .components.monitoring.resources import add_monitoring
from .components.opik.resources import add_opik
from .components.secrets.resources import add_secrets
from .components.serving.resources import add_serving


class PlatformStack(EnvironmentStack):
    """Owns every Kubernetes object and Helm release of the environment.

    Needs the cluster, the identities of its workloads, the vault, the data disks, the login application and the front
    door's address; hands on to people what they have to enter in the domain's DNS and which names an Ingress has to
    use.
    """

    stack_name = "platform"
    tier = Tier.DISPOSABLE
    has_resource_group = False

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        *,
        network: wiring.Producer[NetworkOutputs],
        aks: wiring.Producer[AksOutputs],
        identity: wiring.Producer[IdentityOutputs],
        disks: wiring.Producer[DisksOutputs],
        database: wiring.Producer[DatabaseOutputs],
    ) -> None:
        super().__init__(scope, settings)
        cluster = self.read(aks)
        address = self.read(network)
        vault = self.read(database)

        ClusterProviders(
            self,
            "cluster-providers",
            api_url=cluster.api_url,
            ca_certificate=cluster.ca_certificate,
            tenant_id=vault.tenant_id,
        )
        minor = ".".join(settings.cluster.kubernetes_version.split(".")[:2])
        spaces = {rules.name: add_namespace(self, rules, kubernetes_minor=minor) for rules in namespaces(settings)}

        add_image_policy(self, settings, spaces)
        issuers = add_certificates(
            self, settings, spaces, client_id=cluster.cert_manager_client_id, tenant_id=vault.tenant_id
        )
        delivered = add_secrets(self, settings, spaces, client_id=cluster.external_secrets_client_id, vault=vault)
        if settings.ingress.mode is IngressMode.NGINX:
            add_nginx(self, settings, spaces, address)
        if settings.cluster.gpu_pools:
            add_gpu(self, settings, spaces)
        if settings.models:
            add_serving(self, settings, spaces, disks=self.read(disks), delivered=delivered)
        prepared: Sequence[ITerraformDependable] = ()
        if settings.chat.enabled or settings.gateway.enabled:
            prepared = add_databases(self, settings, spaces, server=vault, delivered=delivered)
        keys: list[ITerraformDependable] = []
        if settings.gateway.enabled:
            gateway = add_gateway(
                self,
                settings,
                spaces,
                database_host=vault.server_fqdn,
                delivered=delivered,
                issuers=issuers,
                databases=prepared,
            )
            keys.append(gateway)
        if settings.chat.enabled:
            add_chat(
                self,
                settings,
                spaces,
                disks=self.read(disks),
                identity=self.read(identity),
                tenant_id=vault.tenant_id,
                delivered=delivered,
                databases=[*prepared, *keys],
                issuers=issuers,
            )
        if settings.opik.enabled:
            add_opik(
                self,
                settings,
                spaces,
                disks=self.read(disks),
                identity=self.read(identity),
                tenant_id=vault.tenant_id,
                delivered=delivered,
                issuers=issuers,
            )
        if settings.monitoring.enabled:
            add_monitoring(
                self,
                settings,
                spaces,
                cluster=cluster,
                identity=self.read(identity),
                database=vault,
                delivered=delivered,
                issuers=issuers,
            )

        hosts = Hosts(settings.domain)
        names = [hosts.chat, hosts.opik, hosts.api, *([hosts.grafana] if settings.monitoring.enabled else [])]
        self.outputs = PlatformOutputs(
            namespaces=list(spaces),
            ingress_class=ingress_class(settings),
            cluster_issuer=cluster_issuer(settings),
            public_ip_address=address.public_ip_address,
            dns_records=dict.fromkeys(names, address.public_fqdn),
        )
        wiring.publish(self, self.outputs)
