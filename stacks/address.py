"""The addresses: what the domain's DNS points at, and what other networks see the cluster come from."""

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.dns_cname_record import DnsCnameRecord
from cdktf_cdktf_provider_azurerm.public_ip import PublicIp
from constructs import Construct

from constructs.deny_delete_policy import DenyDeletePolicy

from .common import wiring
from .common.base import EnvironmentStack, Tier
from .common.outputs import AddressOutputs, PrivateAddressOutputs
from .platform.components.enabled import enabled_components
from .settings import Settings
from .settings.private_access import group_of
from .settings.secrets.names import INTERNAL_CA

PUBLIC_IP_IDLE_MINUTES = 30
"""Azure's maximum; at its default of 4 a model that thinks for long loses its reader."""

RECORD_SECONDS = 300
"""How long others may remember a record."""

CHANGED_ELSEWHERE = ('tags["k8s-azure-cluster-name"]', 'tags["k8s-azure-service"]')
"""Kubernetes marks the address that a load balancer service of its uses."""


class AddressStack(EnvironmentStack):
    """Owns the address of the ingress with its DNS label, and the address of outbound traffic. Needs nothing.

    Both outlive network and cluster. DNS records and other people's allow-lists name them: an address that is given
    back goes to whoever asks Azure next, and a label to whoever claims it. The label is bound to the tenant, so that
    nobody else can have it even when the address is gone
    (https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#domain-name-label).

    With `exposure: private` the ingress has no public address. The private one is a number of the environment file,
    and its place outside the cluster is here: the private DNS zone with the record of every host.
    """

    stack_name = "address"
    tier = Tier.DURABLE
    outputs: AddressOutputs

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, settings)
        if settings.is_private:
            self.outputs = self._private()
        else:
            self.outputs = self._public()
        wiring.publish(self, self.outputs)

    def _public(self) -> AddressOutputs:
        ingress = self._address(
            "front-door",
            label=self.settings.ingress.dns_label or self.names.dns_label,
            idle_minutes=PUBLIC_IP_IDLE_MINUTES,
        )
        outbound = self._address("outbound")
        self._guard(
            {"Microsoft.Network/publicIPAddresses": [ingress, outbound]},
            "DNS records and allow-lists name these addresses; see docs/reference/network.md.",
        )
        for host in enabled_components(self.settings).host_names() if self.settings.ingress.dns_zone_id else ():
            self._record(host, self.settings.ingress.dns_zone_id or "", ingress.fqdn)
        return AddressOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            public_ip_id=ingress.id,
            public_ip_name=ingress.name,
            public_ip_address=ingress.ip_address,
            public_fqdn=ingress.fqdn,
            outbound_ip_id=outbound.id,
            outbound_ip_address=outbound.ip_address,
        )

    def _private(self) -> PrivateAddressOutputs:
        # These bindings are slow to import, and public environments have none of it.
        from constructs.private_zone import PrivateZone  # noqa: PLC0415

        settings, outbound = self.settings, self._address("outbound")
        given = settings.private_access.zone_id
        zone = PrivateZone(
            self,
            "zone",
            name=settings.domain,
            group_name=group_of(given) if given else self.resource_group.name,
            create=given is None,
            address=str(settings.ingress_address),
            lifecycle=self.protected,
            tags=self.tags,
        )
        guarded: dict[str, list[ITerraformDependable]] = {"Microsoft.Network/publicIPAddresses": [outbound]}
        if zone.zone is not None:
            guarded["Microsoft.Network/privateDnsZones"] = [zone.zone]
        self._guard(guarded, "Allow-lists and resolvers name these; see docs/reference/private-access.md.")
        self._leave_public_address()
        return PrivateAddressOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            public_ip_id="",
            public_ip_name="",
            public_ip_address="",
            public_fqdn="",
            outbound_ip_id=outbound.id,
            outbound_ip_address=outbound.ip_address,
            private_address=str(settings.ingress_address),
            nameserver_address=str(settings.nameserver_address or ""),
            zone_name=zone.name,
            zone_group_name=zone.group_name,
            ca_certificate_secret=INTERNAL_CA if settings.has_internal_ca else "",
        )

    def _guard(self, guarded: dict[str, list[ITerraformDependable]], reason: str) -> None:
        DenyDeletePolicy(
            self,
            "guard",
            name=self.names.resource("keep-addresses"),
            resource_group_id=self.resource_group.id,
            resource_types=list(guarded),
            guarded=[resource for resources in guarded.values() for resource in resources],
            reason=reason,
        )

    def _leave_public_address(self) -> None:
        """Have Terraform forget the address of an environment that was public: it refuses to destroy it.

        A load balancer holds it until the platform is deployed, and Azure refuses to delete an address in use.
        """
        self.add_override("removed", [{"from": "azurerm_public_ip.front-door", "lifecycle": {"destroy": False}}])

    def _record(self, host: str, zone_id: str, target: str) -> None:
        """Add the record of a host. Terraform refuses to take over one that exists, and removes its own alone.

        It holds nothing that cannot be written again, and goes with its host, so that it is not protected.
        """
        parts = zone_id.split("/")
        group, zone = parts[4], parts[-1]
        DnsCnameRecord(
            self,
            f"record-{host.partition('.')[0]}",
            name=host.removesuffix(f".{zone.lower()}"),
            zone_name=zone,
            resource_group_name=group,
            ttl=RECORD_SECONDS,
            record=target,
            tags=self.tags,
        )

    def _address(self, address: str, *, label: str | None = None, idle_minutes: int | None = None) -> PublicIp:
        """Return an address that keeps the zones it was made with: in others it would be another address."""
        return PublicIp(
            self,
            address,
            name=self.names.resource(address),
            location=self.resource_group.location,
            resource_group_name=self.resource_group.name,
            sku="Standard",
            allocation_method="Static",
            zones=[str(zone) for zone in sorted(self.settings.azure.zones)] or None,
            domain_name_label=label,
            domain_name_label_scope="TenantReuse" if label else None,
            idle_timeout_in_minutes=idle_minutes,
            tags=self.tags,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=[*CHANGED_ELSEWHERE, "zones"]),
        )
