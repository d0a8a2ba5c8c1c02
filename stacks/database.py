"""PostgreSQL, the Key Vault, and every generated secret."""

from collections.abc import Sequence

from cdktf_cdktf_provider_random.provider import RandomProvider
from constructs import Construct

from constructs.deny_delete_policy import DenyDeletePolicy
from constructs.kept_vault_secret import KeptVaultSecret
from constructs.key_vault import KeyVault
from constructs.key_vault_secret import KeyVaultSecret
from constructs.postgresql_server import EntraAdministrator, PostgresqlServer
from constructs.terraform_literal import terraform_literal

from .common import wiring
from .common.base import EnvironmentStack, Tier
from .common.maintenance import in_utc
from .common.outputs import DatabaseOutputs
from .settings import Settings
from .settings.secrets.names import SECRETS, Alphabet, GeneratedSecret

SPECIAL_CHARACTERS = {Alphabet.LETTERS_AND_DIGITS: "", Alphabet.BASE64_URL: "-_"}


class DatabaseStack(EnvironmentStack):
    """Owns the PostgreSQL server, the Key Vault and the generated secrets. Needs nothing. Publishes where they are.

    `kept_secrets` are names of secrets that the cluster writes into the vault, for the cluster that comes after it.
    No secret value is part of its state, plans or outputs: docs/explanation/secrets.md says how.
    """

    stack_name = "database"
    tier = Tier.DURABLE

    def __init__(self, scope: Construct, settings: Settings, *, kept_secrets: Sequence[str] = ()) -> None:
        super().__init__(scope, settings)
        RandomProvider(self, "random")
        vault = KeyVault(
            self,
            "vault",
            name=self.names.key_vault,
            group=self.resource_group,
            soft_delete_days=settings.vault.soft_delete_days,
            public_access=settings.vault.public_access,
            allowed_ranges=self._allowed_ranges(),
            officer_ids=settings.operators.object_ids,
            tags=self.tags,
        )
        vault_id = vault.vault.id
        versions = {secret: settings.secrets.versions.get(secret.value, 1) for secret in GeneratedSecret}
        secrets = {
            secret: KeyVaultSecret(
                self,
                secret.value,
                name=secret.value,
                length=spec.length,
                prefix=spec.prefix,
                special_characters=SPECIAL_CHARACTERS[spec.alphabet],
                version=versions[secret],
                key_vault_id=vault_id,
                tags=self.tags,
                depends_on=vault.officers,
            )
            for secret, spec in SECRETS.items()
        }
        for name in kept_secrets:
            KeptVaultSecret(self, name, name=name, key_vault_id=vault_id, tags=self.tags, depends_on=vault.officers)
        database, zoned = settings.database, bool(settings.azure.zones)
        administrator = GeneratedSecret.DATABASE_ADMINISTRATOR_PASSWORD
        server = PostgresqlServer(
            self,
            "postgresql",
            name=self.names.postgresql_server(database.generation),
            group=self.resource_group,
            version=database.version,
            sku=database.sku,
            storage_gib=database.storage_gib,
            storage_auto_grow=database.storage_auto_grow,
            zone=database.zone if zoned else None,
            high_availability=database.high_availability,
            standby_zone=database.standby_zone if zoned and database.high_availability == "zone-redundant" else None,
            backup_retention_days=database.backup_retention_days,
            geo_redundant_backup=database.geo_redundant_backup,
            administrator_password=secrets[administrator].read_back().attribute("value"),
            administrator_password_version=versions[administrator],
            entra_administrators=[
                EntraAdministrator(object_id=person.object_id, name=terraform_literal(person.name), type=person.type)
                for person in database.entra_administrators
            ],
            tenant_id=vault.tenant_id,
            maintenance=in_utc(settings.cluster.maintenance),
            restore_from_server_id=database.restore_from_server_id,
            restore_time_utc=database.restore_time_utc,
            restore_geo_redundant=bool(database.restore_geo_redundant),
            tags=self.tags,
        ).server
        DenyDeletePolicy(
            self,
            "guard",
            name=self.names.resource("keep-database"),
            resource_group_id=self.resource_group.id,
            resource_types=["Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.KeyVault/vaults"],
            guarded=[server, vault.vault],
            reason="Database and vault outlive the cluster; a deleted server takes its backups along (docs/data.md).",
        )
        self.outputs = DatabaseOutputs(
            resource_group_name=self.resource_group.name,
            resource_group_id=self.resource_group.id,
            server_id=server.id,
            server_name=server.name,
            server_fqdn=server.fqdn,
            administrator_login=server.administrator_login,
            vault_id=vault.vault.id,
            vault_name=vault.vault.name,
            vault_uri=vault.vault.vault_uri,
            tenant_id=vault.tenant_id,
            secret_versions={secret.value: version for secret, version in versions.items()},
            one_way=self.one_way,
        )
        wiring.publish(self, self.outputs)

    def _allowed_ranges(self) -> list[str]:
        ranges = {*self.settings.operators.ip_ranges, *self.settings.vault.extra_allowed_ranges}
        return [str(range_) for range_ in sorted(ranges)]
