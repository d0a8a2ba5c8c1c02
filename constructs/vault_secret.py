"""A generated secret that exists in the Key Vault and nowhere else."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.key_vault_secret import KeyVaultSecret
from constructs import Construct

from stacks.settings.secret_names import Alphabet, GeneratedSecret, SecretSpec

from .ephemeral import Ephemeral


class VaultSecret(Construct):
    """A random value written to the vault without ever entering state or plan.

    Terraform draws a new value at every run and throws it away, except when `version` differs from the one in the
    state: then it is written as a new version of the secret, and the vault keeps the old ones.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        secret: GeneratedSecret,
        spec: SecretSpec,
        version: int,
        key_vault_id: str,
        tags: Mapping[str, str],
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, secret.value)
        special: dict[Alphabet, dict[str, object]] = {
            Alphabet.LETTERS_AND_DIGITS: {"special": False},
            Alphabet.BASE64_URL: {"special": True, "override_special": "-_"},
        }
        password = Ephemeral(
            self,
            "value",
            kind="random_password",
            config={
                "length": spec.length,
                # PostgreSQL on Azure asks for three kinds of characters.
                "min_lower": 1,
                "min_upper": 1,
                "min_numeric": 1,
                **special[spec.alphabet],
            },
        )
        self.secret = KeyVaultSecret(
            self,
            "secret",
            name=secret.value,
            key_vault_id=key_vault_id,
            value_wo=spec.prefix + password.attribute("result"),
            value_wo_version=version,
            content_type="text/plain",
            tags=dict(tags),
            depends_on=list(depends_on),
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True),
        )

    def read_back(self) -> Ephemeral:
        """Return the secret's current value as an ephemeral block, for another write-only argument."""
        return Ephemeral(
            self,
            "current",
            kind="azurerm_key_vault_secret",
            config={
                # Unknown until the secret exists, which keeps Terraform from reading it in the plan of a run that
                # goes on after an interruption.
                "name": f"${{basename({self.secret.fqn}.versionless_id)}}",
                "key_vault_id": self.secret.key_vault_id,
            },
        )
