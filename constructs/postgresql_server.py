"""PostgreSQL Flexible Server for the platform's applications."""

from collections.abc import Mapping

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
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from stacks.common.maintenance import UtcWindow
from stacks.settings.data import DatabaseSettings

ADMINISTRATOR = "platform_admin"

PARAMETERS = {
    # The only extensions that CREATE EXTENSION accepts: pgvector and what Open WebUI's migrations use.
    "azure.extensions": "VECTOR,UUID-OSSP",
    "require_secure_transport": "on",
    "ssl_min_protocol_version": "TLSv1.2",
}
"""Server parameters that differ from Azure's defaults or that the platform relies on."""

HIGH_AVAILABILITY = {"same-zone": "SameZone", "zone-redundant": "ZoneRedundant"}


class PostgresqlServer(Construct):
    """A server without public access, with password login for applications.

    Databases and roles are no part of it: they are created inside the network, where the server can be reached, and
    come back with a restored server, where Terraform would find them in its way.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        group: ResourceGroup,
        settings: DatabaseSettings,
        zoned: bool,
        administrator_password: str,
        administrator_password_version: int,
        tenant_id: str,
        maintenance: UtcWindow,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        restored = settings.restore_from_server_id is not None
        standby = settings.high_availability == "zone-redundant" and zoned
        self.server = PostgresqlFlexibleServer(
            self,
            "server",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            version=settings.version,
            sku_name=settings.sku,
            storage_mb=settings.storage_gib * 1024,
            auto_grow_enabled=settings.storage_auto_grow,
            zone=str(settings.zone) if zoned else None,
            high_availability=None
            if settings.high_availability == "off"
            else PostgresqlFlexibleServerHighAvailability(
                mode=HIGH_AVAILABILITY[settings.high_availability],
                standby_availability_zone=str(settings.standby_zone) if standby else None,
            ),
            backup_retention_days=settings.backup_retention_days,
            geo_redundant_backup_enabled=settings.geo_redundant_backup,
            public_network_access_enabled=False,
            administrator_login=ADMINISTRATOR,
            administrator_password_wo=administrator_password,
            administrator_password_wo_version=administrator_password_version,
            authentication=PostgresqlFlexibleServerAuthentication(
                password_auth_enabled=True,
                active_directory_auth_enabled=bool(settings.entra_administrators),
                tenant_id=tenant_id if settings.entra_administrators else None,
            ),
            maintenance_window=PostgresqlFlexibleServerMaintenanceWindow(
                day_of_week=maintenance.day_of_week,
                start_hour=maintenance.hour,
                start_minute=maintenance.minute,
            ),
            create_mode="PointInTimeRestore" if restored else "Default",
            source_server_id=settings.restore_from_server_id,
            point_in_time_restore_time_in_utc=settings.restore_time_utc,
            tags=dict(tags),
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=_changed_by_azure(settings)),
        )
        for parameter, value in PARAMETERS.items():
            PostgresqlFlexibleServerConfiguration(
                self,
                parameter.replace(".", "-").replace("_", "-"),
                server_id=self.server.id,
                name=parameter,
                value=value,
            )
        for administrator in settings.entra_administrators:
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


def _changed_by_azure(settings: DatabaseSettings) -> list[str]:
    """Arguments whose later difference from the file is right, and must not become a plan."""
    # Where the server came from matters once; without this, removing the restore from the file would replace it.
    changed = ["create_mode", "source_server_id", "point_in_time_restore_time_in_utc"]
    if settings.high_availability != "off":
        # A failover swaps the two.
        changed += ["zone", "high_availability[0].standby_availability_zone"]
    if settings.storage_auto_grow:
        changed += ["storage_mb"]
    return changed
