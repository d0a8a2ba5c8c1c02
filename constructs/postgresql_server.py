"""PostgreSQL Flexible Server for the platform's applications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server import (
    PostgresqlFlexibleServer,
    PostgresqlFlexibleServerAuthentication,
    PostgresqlFlexibleServerHighAvailability,
    PostgresqlFlexibleServerMaintenanceWindow,
)
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server_active_directory_administrator import (
    PostgresqlFlexibleServerActiveDirectoryAdministrator,
)
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server_configuration import PostgresqlFlexibleServerConfiguration
from constructs import Construct

from .resource_group import ResourceGroup

ADMINISTRATOR = "platform_admin"

PARAMETERS = {
    # The only extensions that CREATE EXTENSION accepts: pgvector and what Open WebUI's migrations use.
    "azure.extensions": "VECTOR,UUID-OSSP",
    "require_secure_transport": "on",
    "ssl_min_protocol_version": "TLSv1.2",
}
"""Server parameters that differ from Azure's defaults or that the platform relies on."""

HighAvailability = Literal["off", "same-zone", "zone-redundant"]
HIGH_AVAILABILITY = {"same-zone": "SameZone", "zone-redundant": "ZoneRedundant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraAdministrator:
    """Somebody who may log in to the server as its administrator with a token of Entra."""

    object_id: str
    name: str
    type: Literal["User", "Group", "ServicePrincipal"]


@dataclass(frozen=True, slots=True)
class UtcWindow:
    """Start of a weekly window in UTC."""

    day_of_week: int
    """0 is Sunday."""
    hour: int
    minute: int


class PostgresqlServer(Construct):
    """A server without public access, with password login for applications.

    Databases and roles are no part of it: they are created inside the network, where the server can be reached, and
    come back with a restored server, where Terraform would find them in its way.
    """

    server: PostgresqlFlexibleServer
    """Answers by a private endpoint alone, which another stack adds."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        group: ResourceGroup,
        version: str,
        sku: str,
        storage_gib: int,
        storage_auto_grow: bool,
        zone: int | None,
        high_availability: HighAvailability,
        standby_zone: int | None,
        backup_retention_days: int,
        geo_redundant_backup: bool,
        administrator_password: str,
        administrator_password_version: int,
        entra_administrators: Sequence[EntraAdministrator],
        tenant_id: str,
        maintenance: UtcWindow,
        restore_from_server_id: str | None,
        restore_time_utc: str | None,
        restore_geo_redundant: bool,
        tags: Mapping[str, str],
    ) -> None:
        """Add the server.

        Zones are None in a region without. `standby_zone` is for `zone-redundant` alone. The password may be an
        ephemeral value: it is written when its version changes, and to Azure alone. `restore_from_server_id` begins
        with that server's data as of `restore_time_utc`, `restore_geo_redundant` with those of a server in another
        region, from its backup in this one; later changes of the three have no effect.
        """
        super().__init__(scope, id_)
        self.server = PostgresqlFlexibleServer(
            self,
            "server",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            version=version,
            sku_name=sku,
            storage_mb=storage_gib * 1024,
            auto_grow_enabled=storage_auto_grow,
            zone=_text(zone),
            high_availability=None
            if high_availability == "off"
            else PostgresqlFlexibleServerHighAvailability(
                mode=HIGH_AVAILABILITY[high_availability],
                standby_availability_zone=_text(standby_zone),
            ),
            backup_retention_days=backup_retention_days,
            geo_redundant_backup_enabled=geo_redundant_backup,
            public_network_access_enabled=False,
            administrator_login=ADMINISTRATOR,
            administrator_password_wo=administrator_password,
            administrator_password_wo_version=administrator_password_version,
            authentication=PostgresqlFlexibleServerAuthentication(
                password_auth_enabled=True,
                active_directory_auth_enabled=bool(entra_administrators),
                tenant_id=tenant_id if entra_administrators else None,
            ),
            maintenance_window=PostgresqlFlexibleServerMaintenanceWindow(
                day_of_week=maintenance.day_of_week,
                start_hour=maintenance.hour,
                start_minute=maintenance.minute,
            ),
            create_mode=_create_mode(restore_from_server_id, geo_redundant=restore_geo_redundant),
            source_server_id=restore_from_server_id,
            point_in_time_restore_time_in_utc=restore_time_utc,
            tags=dict(tags),
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=True, ignore_changes=_changed_by_azure(high_availability, storage_auto_grow)
            ),
        )
        for parameter, value in PARAMETERS.items():
            PostgresqlFlexibleServerConfiguration(
                self,
                parameter.replace(".", "-").replace("_", "-"),
                server_id=self.server.id,
                name=parameter,
                value=value,
            )
        for administrator in entra_administrators:
            PostgresqlFlexibleServerActiveDirectoryAdministrator(
                self,
                f"administrator-{administrator.object_id}",
                server_name=self.server.name,
                resource_group_name=group.name,
                tenant_id=tenant_id,
                object_id=administrator.object_id,
                principal_name=administrator.name,
                principal_type=administrator.type,
            )


def _create_mode(restore_from_server_id: str | None, *, geo_redundant: bool) -> str:
    if restore_from_server_id is None:
        return "Default"
    return "GeoRestore" if geo_redundant else "PointInTimeRestore"


def _text(zone: int | None) -> str | None:
    return None if zone is None else str(zone)


def _changed_by_azure(high_availability: HighAvailability, storage_auto_grow: bool) -> list[str]:
    """Arguments whose later difference from the file is right, and must not become a plan."""
    # Where the server came from matters once; without this, removing the restore from the file would replace it.
    changed = ["create_mode", "source_server_id", "point_in_time_restore_time_in_utc"]
    if high_availability != "off":
        # A failover swaps the two.
        changed += ["zone", "high_availability[0].standby_availability_zone"]
    if storage_auto_grow:
        changed += ["storage_mb"]
    return changed
