"""A private DNS zone whose names all lead to one address."""

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.private_dns_a_record import PrivateDnsARecord
from cdktf_cdktf_provider_azurerm.private_dns_zone import PrivateDnsZone
from constructs import Construct

TTL_SECONDS = 300
"""How long a resolver may keep the answer: a new address is known everywhere within this time."""


class PrivateZone(Construct):
    """A private DNS zone in which the zone's own name and every name one level below it lead to `address`.

    With `create` off the zone exists already and gets the two records alone. Nobody sees the zone until it is linked
    to a network.
    """

    name: str
    """Name of the zone; a token where it is made here, so that what uses it comes after it."""
    group_name: str
    """Resource group of the zone, which may be another one than the stack's."""
    zone: PrivateDnsZone | None
    """None where it exists already."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        group_name: str,
        create: bool,
        address: str,
        lifecycle: TerraformResourceLifecycle | None,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        self.zone = None
        if create:
            self.zone = PrivateDnsZone(
                self, "zone", name=name, resource_group_name=group_name, tags=dict(tags), lifecycle=lifecycle
            )
        self.name, self.group_name = self.zone.name if self.zone else name, group_name
        for record, label in {"hosts": "*", "apex": "@"}.items():
            PrivateDnsARecord(
                self,
                record,
                name=label,
                zone_name=self.name,
                resource_group_name=group_name,
                ttl=TTL_SECONDS,
                records=[address],
                tags=dict(tags),
            )
