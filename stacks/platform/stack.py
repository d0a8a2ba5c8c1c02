"""Everything inside the cluster: one component after the other."""

from typing import Literal

from constructs import Construct

from constructs.cluster_providers import ClusterProviders
from stacks.common import wiring
from stacks.common.base import EnvironmentStack, Tier
from stacks.common.outputs import (
    AddressOutputs,
    AksOutputs,
    DatabaseOutputs,
    DisksOutputs,
    IdentityOutputs,
    PlatformOutputs,
)
from stacks.settings.azure import ClusterAccess
from stacks.settings.cluster import ReleaseRecords

from .common.image_lock import lock_serial
from .common.ingress_mode import cluster_issuer, ingress_class, private_issuer
from .common.namespace_bounds import add_namespace
from .components.context import Context
from .components.enabled import EnabledComponents
from .components.tailscale.release import URL_VARIABLE

_HELM_DRIVERS: dict[ReleaseRecords, Literal["configmap"] | None] = {
    ReleaseRecords.SECRETS: None,  # Helm's own default
    ReleaseRecords.CONFIG_MAPS: "configmap",
}


class PlatformStack(EnvironmentStack):
    """Owns every Kubernetes object and Helm release of the environment.

    Needs the cluster, the identities of its workloads, the vault, the data disks, the Entra application and the
    address of the ingress; outputs what operators have to enter in the domain's DNS and which names an Ingress
    has to use.
    """

    stack_name = "platform"
    tier = Tier.DISPOSABLE
    has_resource_group = False

    def __init__(
        self,
        scope: Construct,
        components: EnabledComponents,
        *,
        aks: wiring.Producer[AksOutputs],
        identity: wiring.Producer[IdentityOutputs],
        disks: wiring.Producer[DisksOutputs],
        database: wiring.Producer[DatabaseOutputs],
        address: wiring.Producer[AddressOutputs],
    ) -> None:
        settings = components.settings
        super().__init__(scope, settings)
        cluster, vault, public = self.read(aks), self.read(database), self.read(address)
        ClusterProviders(
            self,
            "cluster-providers",
            api_url=cluster.api_url,
            ca_certificate=cluster.ca_certificate,
            tenant_id=vault.tenant_id,
            helm_driver=_HELM_DRIVERS[settings.cluster.release_records],
            url_variable=URL_VARIABLE if settings.operators.cluster_access is ClusterAccess.TAILSCALE else "",
        )
        minor = ".".join(settings.cluster.kubernetes_version.split(".")[:2])
        endpoints = (str(settings.network.endpoints_subnet),)
        context = Context(
            scope=self,
            components=components,
            images=components.deployed_images(),
            namespaces={
                rules.name: add_namespace(self, rules, kubernetes_minor=minor, private_ranges=endpoints)
                for rules in components.namespaces()
            },
            cluster=cluster,
            address=public,
            database=vault,
            read_disks=lambda: self.read(disks),
            read_identity=lambda: self.read(identity),
        )
        for component in components.in_order_of_need():
            if (added := component.add(context)) is not None:
                context.added[component.name] = added
                if component.before_pods:
                    context = context.bounded_by(added)
        self.outputs = PlatformOutputs(
            namespaces=list(context.namespaces),
            ingress_class=ingress_class(settings.ingress),
            cluster_issuer=private_issuer(settings.private_access, settings.ingress)
            if settings.is_private
            else cluster_issuer(settings.ingress),
            public_ip_address=public.public_ip_address,
            # In a private zone one record stands for all hosts.
            dns_records={} if settings.is_private else dict.fromkeys(components.host_names(), public.public_fqdn),
            images={name: str(context.images[name]) for name in sorted(components.images())},
            images_serial=lock_serial(settings.name),
            one_way=self.one_way,
        )
        wiring.publish(self, self.outputs)
