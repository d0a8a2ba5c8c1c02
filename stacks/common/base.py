"""What every stack of an environment has: backend, providers, resource group, tags, and its tier."""

from enum import StrEnum
from typing import ClassVar, TypeVar

from cdktf import TerraformRemoteState, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesPostgresqlFlexibleServer,
    AzurermProviderFeaturesResourceGroup,
    AzurermProviderFeaturesStorage,
)
from constructs import Construct

from constructs.resource_group import ResourceGroup
from constructs.terraform_literal import terraform_literal
from stacks.settings import Settings

from . import wiring
from .backends import read_backend, write_backend
from .one_way_record import record_of
from .resource_providers import RESOURCE_PROVIDERS

TERRAFORM_VERSIONS = ">= 1.11, < 2.0"
"""Write-only arguments need 1.11."""

Outputs = TypeVar("Outputs")


class Tier(StrEnum):
    """Whether a stack may be destroyed and made again at will."""

    DURABLE = "durable"
    DISPOSABLE = "disposable"


class EnvironmentStack(TerraformStack):
    """One stack of an environment.

    Owns one resource group (`resource_group`) of the environment's and the stack's name, unless `has_resource_group`
    is off. Everything in a durable stack is protected from being destroyed (`protected`).
    """

    stack_name: ClassVar[str]
    tier: ClassVar[Tier]
    has_resource_group: ClassVar[bool] = True

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, self.stack_name)
        self.settings = settings
        self.names = settings.azure_names
        self.tags = {
            **{terraform_literal(name): terraform_literal(value) for name, value in settings.tags.items()},
            "platform": settings.prefix,
            "environment": settings.name,
            "stack": self.stack_name,
        }
        self._states: dict[str, TerraformRemoteState] = {}
        self.add_override("terraform.required_version", TERRAFORM_VERSIONS)
        write_backend(self, self.stack_name, settings.state, self.names)
        if self.has_resource_group:
            self._add_azure()

    def prepare_stack(self) -> None:
        """Do nothing. cdktf would resolve every value to find references to other stacks' resources, which none has."""

    @property
    def one_way(self) -> dict[str, str]:
        """What this stack records of the values that cannot go back."""
        return {key: terraform_literal(value) for key, value in record_of(self.settings, self.stack_name).items()}

    @property
    def protected(self) -> TerraformResourceLifecycle | None:
        """Life cycle of what holds data or names: in a durable stack Terraform refuses to destroy it."""
        return TerraformResourceLifecycle(prevent_destroy=True) if self.tier is Tier.DURABLE else None

    def read(self, producer: wiring.Producer[Outputs]) -> Outputs:
        """Return the outputs of another stack as this stack sees them, through the producer's state.

        Records a dependency when both stacks are disposable, so that they are deployed in order. Raises ValueError
        when a durable stack would come to depend on a disposable one.
        """
        if not isinstance(producer, EnvironmentStack):
            raise TypeError(f"{producer!r} is no stack of an environment")
        if producer.tier is Tier.DISPOSABLE:
            if self.tier is Tier.DURABLE:
                raise ValueError(f"durable stack {self.stack_name} must not read {producer.stack_name}")
            self.add_dependency(producer)
        if producer.stack_name not in self._states:
            self._states[producer.stack_name] = read_backend(self, producer.stack_name, self.settings.state, self.names)
        return wiring.read(self._states[producer.stack_name], type(producer.outputs))

    def _add_azure(self) -> None:
        AzurermProvider(
            self,
            "azurerm",
            subscription_id=self.settings.azure.subscription_id,
            resource_provider_registrations="none",
            resource_providers_to_register=list(RESOURCE_PROVIDERS.get(self.stack_name, ())),
            storage_use_azuread=True,
            features=[
                AzurermProviderFeatures(
                    key_vault=[
                        AzurermProviderFeaturesKeyVault(
                            purge_soft_delete_on_destroy=False,
                            purge_soft_deleted_secrets_on_destroy=False,
                            recover_soft_deleted_key_vaults=True,
                            # It would recover a secret only to write a new value over it, which locks out what was
                            # set up with the old one; without, Azure refuses the new one (409).
                            recover_soft_deleted_secrets=False,
                        )
                    ],
                    resource_group=[AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=True)],
                    # The storage account answers inside the network only, not where Terraform runs.
                    storage=[AzurermProviderFeaturesStorage(data_plane_available=False)],
                    postgresql_flexible_server=[
                        AzurermProviderFeaturesPostgresqlFlexibleServer(
                            restart_server_on_configuration_value_change=False
                        )
                    ],
                )
            ],
        )
        self.resource_group = ResourceGroup(
            self,
            "resource-group",
            name=self.names.resource_group(self.stack_name),
            location=self.settings.azure.region,
            tags=self.tags,
            lifecycle=self.protected,
        )
