"""Where the platform lives in Azure, who operates it, and where Terraform keeps its state."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from .types import Cidr, Guid, Model, Zones


class AzureSettings(Model):
    """The subscription and the region."""

    subscription_id: Guid
    """Subscription that every resource is created in."""
    region: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{3,30}$")]
    """Azure region in its short form, such as `westeurope`."""
    zones: Zones = (1, 2, 3)
    """Availability zones of the region; an empty list for a region without zones."""


class OperatorSettings(Model):
    """Who may administer the cluster and the vault, and from where."""

    object_ids: tuple[Guid, ...] = ()
    """Entra object ids (groups, users, service principals) that administer cluster and vault.
    Empty: the principal of the first deployment, kept afterwards."""
    ip_ranges: tuple[Cidr, ...] = ()
    """Public IPv4 ranges that may reach the Kubernetes API, the vault and the registry over the internet.
    Empty: they are protected by Entra and RBAC alone."""


class StateBackend(StrEnum):
    """Where the Terraform state of every stack is kept."""

    LOCAL = "local"
    AZURERM = "azurerm"
    HCP = "hcp"


class AzurermStateSettings(Model):
    """Blob storage for the state; `llmctl state bootstrap` creates it."""

    resource_group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._()-]{1,89}[A-Za-z0-9_()-]$")]
    storage_account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{3,24}$")]
    container: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$")] = "tfstate"


class HcpStateSettings(Model):
    """HCP Terraform or Terraform Enterprise; one workspace per environment and stack."""

    organization: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{3,40}$")]
    hostname: str = "app.terraform.io"
    project: str | None = None


class StateSettings(Model):
    """The state backend, the same for all stacks of the environment."""

    backend: StateBackend = StateBackend.LOCAL
    azurerm: AzurermStateSettings | None = None
    """Required by the `azurerm` backend."""
    hcp: HcpStateSettings | None = None
    """Required by the `hcp` backend."""

    @model_validator(mode="after")
    def _backend_has_its_settings(self) -> Self:
        for backend in (StateBackend.AZURERM, StateBackend.HCP):
            given = getattr(self, backend.value) is not None
            if self.backend is backend and not given:
                raise ValueError(f"backend {backend.value!r} needs the key {backend.value!r} beside it")
            if self.backend is not backend and given:
                raise ValueError(f"{backend.value!r} is given, but backend is {self.backend.value!r}")
        return self


class SecretSettings(Model):
    """Versions of the generated secrets; raising one rotates that secret."""

    versions: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Secret name to version; a secret that is not listed has version 1."""
