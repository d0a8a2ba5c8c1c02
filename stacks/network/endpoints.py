"""Which services of the durable stacks get a private address in the network."""

from collections.abc import Callable
from dataclasses import dataclass

from stacks.common.outputs import AcrOutputs, DatabaseOutputs, DisksOutputs
from stacks.settings.azure import OperatorSettings
from stacks.settings.data import BackupSettings, RegistrySettings, VaultSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Producers:
    """Outputs of the stacks that own the services."""

    disks: DisksOutputs
    acr: AcrOutputs
    database: DatabaseOutputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service with Azure's fixed names for its private link."""

    name: str
    subresource: str
    zone: str
    """https://learn.microsoft.com/azure/private-link/private-endpoint-dns"""
    ports: tuple[str, ...]
    resource_id: Callable[[Producers], str]
    shares_zone_of: str = ""
    """Another service in whose private DNS zone it has its record: a network sees one zone of each name."""


POSTGRESQL = Service(
    name="postgresql",
    subresource="postgresqlServer",
    zone="privatelink.postgres.database.azure.com",
    # 6432 is the server's built-in PgBouncer.
    ports=("5432", "6432"),
    resource_id=lambda producers: producers.database.server_id,
)
FILES = Service(
    name="files",
    subresource="file",
    zone="privatelink.file.core.windows.net",
    # NFS 4.1; mounts encrypted in transit use the same port.
    ports=("2049",),
    resource_id=lambda producers: producers.disks.storage_account_id,
)
MODELS = Service(
    name="models",
    subresource="file",
    zone=FILES.zone,
    ports=FILES.ports,
    resource_id=lambda producers: producers.disks.model_store_account_id,
    shares_zone_of=FILES.name,
)
VAULT = Service(
    name="vault",
    subresource="vault",
    zone="privatelink.vaultcore.azure.net",
    ports=("443",),
    resource_id=lambda producers: producers.database.vault_id,
)
REGISTRY = Service(
    name="registry",
    subresource="registry",
    zone="privatelink.azurecr.io",
    ports=("443",),
    resource_id=lambda producers: producers.acr.registry_id,
)

MANIFESTS = Service(
    name="backup-sets",
    subresource="blob",
    zone="privatelink.blob.core.windows.net",
    ports=("443",),
    resource_id=lambda producers: producers.disks.backup_sets_account_id,
)


def private_services(
    *,
    operators: OperatorSettings,
    vault: VaultSettings,
    registry: RegistrySettings,
    backups: BackupSettings,
    private_endpoints: bool,
    model_store: bool,
) -> list[Service]:
    """Return the services to reach by private address.

    Database and file shares have no other way in. Vault and registry get one where `private_endpoints` asks for it or
    where they do not answer the cluster over the internet; a Basic registry can have none. No pod reads the manifests
    of backup sets, so their account gets one only where it answers nobody else.
    """
    ranges = operators.ip_ranges
    vault_open = vault.public_access and not (ranges or vault.extra_allowed_ranges)
    registry_open = registry.public_access and not ranges
    services = [POSTGRESQL, FILES]
    if model_store:
        services.append(MODELS)
    if private_endpoints or not vault_open:
        services.append(VAULT)
    if registry.tier == "Premium" and (private_endpoints or not registry_open):
        services.append(REGISTRY)
    if not backups.public_access:
        services.append(MANIFESTS)
    return services
