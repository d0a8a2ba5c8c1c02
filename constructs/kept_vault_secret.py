"""A secret of the Key Vault that somebody else writes."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.key_vault_secret import KeyVaultSecret
from constructs import Construct

NOTHING = "{}"
"""Value until something is kept."""


class KeptVaultSecret(KeyVaultSecret):
    """A place in the vault that External Secrets keeps something in, empty until it does.

    Terraform makes it, so that a role can be given on this one secret before there is a value, and never writes or
    keeps a value afterwards, also not after an import: the state holds none. External Secrets writes to secrets with
    its tag alone, and replaces all tags (`setKeyVaultSecret` in providers/v1/azure/keyvault/keyvault.go of
    https://github.com/external-secrets/external-secrets/tree/v2.9.0).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        key_vault_id: str,
        tags: Mapping[str, str],
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(
            scope,
            id_,
            name=name,
            key_vault_id=key_vault_id,
            value_wo=NOTHING,
            value_wo_version=1,
            content_type="application/json",
            tags={**tags, "managed-by": "external-secrets"},
            depends_on=list(depends_on),
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=True, ignore_changes=["value_wo_version", "tags", "content_type", "expiration_date"]
            ),
        )
