"""Where the platform lives in Azure, who operates it, and where Terraform keeps its state."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .one_way.marks import DecidedOnce, NoWayBack
from .types import AZURE_NAME, Cidr, DnsName, Guid, Model, ObjectId, Region, Unique, Zones, text


class AzureSettings(Model):
    """The subscription and the region."""

    subscription_id: Annotated[
        Guid, DecidedOnce(stack="disks", why="resources do not move between subscriptions; write a new environment")
    ]
    """Subscription that every resource is created in."""
    region: Annotated[
        Region,
        DecidedOnce(
            stack="disks", why="disks, database and vault do not move between regions; write a new environment"
        ),
    ]
    """Azure region in its short form, such as `westeurope`."""
    zones: Zones = (1, 2, 3)
    """Availability zones of the region; an empty list for a region without zones."""


class ClusterAccess(StrEnum):
    """How operators' machines reach the Kubernetes API."""

    DIRECT = "direct"
    TAILSCALE = "tailscale"
    JUMP_HOST = "jump-host"
    COMMAND_INVOKE = "command-invoke"


class OperatorSettings(Model):
    """Who may administer the cluster and the vault, and from where."""

    object_ids: Annotated[tuple[ObjectId, ...], Unique] = ()
    """Entra object ids (groups, users, service principals) that administer cluster and vault.
    Empty: the principal of the first deployment, kept afterwards."""
    ip_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Public IPv4 ranges that may reach the Kubernetes API, the vault and the registry over the internet.
    Empty: they are protected by Entra and RBAC alone."""
    cluster_access: ClusterAccess = ClusterAccess.DIRECT
    """How `llmctl` reaches the Kubernetes API. `direct`: by this machine's own network, such as a VPN. `tailscale`: the
    API proxy of Tailscale's operator. `jump-host`: SSH over `jump_host`. `command-invoke`: `az aks command invoke`,
    for short commands alone, which Azure then allows on the cluster. LLMCTL_CLUSTER_ACCESS says otherwise for one
    machine."""
    jump_host: (
        Annotated[
            str,
            text(
                r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?[A-Za-z0-9][A-Za-z0-9._-]{0,252}$",
                "a host as ssh names it: HOST, USER@HOST or a Host of its configuration",
            ),
        ]
        | None
    ) = None
    """Host inside the network, or joined to it, through which `ssh` reaches the Kubernetes API."""


class StateBackend(StrEnum):
    """Where the Terraform state of every stack is kept."""

    LOCAL = "local"
    AZURERM = "azurerm"
    HCP = "hcp"


class AzurermStateSettings(Model):
    """Blob storage for the state; `llmctl state bootstrap` creates it."""

    resource_group: Annotated[
        str, text(r"^[A-Za-z0-9._()-]{0,89}[A-Za-z0-9_()-]$", "a resource group's name: at most 90 characters")
    ]
    """Resource group of the storage account."""
    storage_account: Annotated[
        str, text(r"^[a-z0-9]{3,24}$", "a storage account's name: 3 to 24 lower-case letters and digits")
    ]
    """Storage account that holds the state of every stack."""
    container: Annotated[
        str,
        text(
            r"^[a-z0-9](-?[a-z0-9]){2,62}$",
            "a blob container's name: 3 to 63 lower-case letters, digits and single dashes",
            max_length=63,
        ),
    ] = "tfstate"
    """Blob container; each stack writes one blob in it."""
    ip_ranges: Annotated[tuple[Cidr, ...], Unique] = ()
    """Public IPv4 ranges that may reach the account. Empty: Entra alone protects it, unless it is private."""
    private_endpoint_subnet_id: (
        Annotated[
            str,
            text(
                rf"^/subscriptions/[0-9a-fA-F-]{{36}}/resourceGroups/{AZURE_NAME}/providers/Microsoft\.Network"
                rf"/virtualNetworks/{AZURE_NAME}/subnets/{AZURE_NAME}$",
                "a subnet's resource id: /subscriptions/…/virtualNetworks/…/subnets/…",
            ),
        ]
        | None
    ) = None
    """Subnet in which the account gets its only address; whoever runs Terraform has to be in that network.
    Left out, the account is reached over the internet. Not a subnet of this platform, which needs its state first."""


class StackName(StrEnum):
    """A stack of the environment."""

    IDENTITY = "identity"
    DISKS = "disks"
    ACR = "acr"
    DATABASE = "database"
    ADDRESS = "address"
    NETWORK = "network"
    AKS = "aks"
    PLATFORM = "platform"


class HcpExecution(StrEnum):
    """Where the runs of HCP Terraform's workspaces happen."""

    REMOTE = "remote"
    LOCAL = "local"


class TeamAccess(StrEnum):
    """What a team may do in a workspace: https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/permissions."""

    READ = "read"
    PLAN = "plan"
    WRITE = "write"
    ADMIN = "admin"


class HcpAzureSettings(Model):
    """The identities that remote runs log in as, by a token of the run instead of a secret."""

    client_id: ObjectId | None = None
    """Client id of the application that applies; left out, `llmctl remote bootstrap` creates an identity for it."""
    plan_client_id: ObjectId | None = None
    """Client id of the application that plans, which reads no secret; left out, an identity is created for it."""
    tenant_id: Guid
    """Entra tenant of the identities and the subscription."""


class HcpStateSettings(Model):
    """HCP Terraform or Terraform Enterprise; one workspace per environment and stack."""

    organization: Annotated[
        str, text(r"^[A-Za-z0-9_-]{3,40}$", "an organization: 3 to 40 letters, digits, dashes and underscores")
    ]
    """Organization that owns the workspaces."""
    hostname: DnsName = "app.terraform.io"
    """Host of the service; your own for Terraform Enterprise."""
    project: (
        Annotated[str, text(r"^[A-Za-z0-9_ -]{3,40}$", "a project: 3 to 40 letters, digits, spaces, dashes")] | None
    ) = None
    """Project that new workspaces are put into; left out, the organization's default one."""
    execution: HcpExecution = HcpExecution.REMOTE
    """Where runs happen: `remote` on the service's machines, `local` on yours; the state is remote either way."""
    terraform_version: Annotated[
        str, text(r"^1\.\d{1,2}\.\d{1,2}$", "a Terraform release such as 1.16.6, 1.11.0 or newer")
    ] = "1.16.6"
    """Terraform that remote runs use."""
    auto_apply: bool = False
    """Apply a run's plan without a person confirming it."""
    run_triggers: bool = False
    """Let an apply of `network` start a run of `aks`, and that one of `platform`. Such a run takes the configuration
    that was uploaded last, and blocks the workspace until it is confirmed or discarded."""
    azure: HcpAzureSettings | None = None
    """The identities that remote runs log in to Azure as; left out, no credentials are arranged."""
    agent_pool: (
        Annotated[str, text(r"^[A-Za-z0-9_ -]{3,90}$", "an agent pool: 3 to 90 letters, digits, spaces, dashes")] | None
    ) = None
    """Pool of your own agents that run the stacks in `agent_stacks`; left out, the service's machines run all."""
    agent_stacks: Annotated[tuple[StackName, ...], Unique, Field(min_length=1)] = (StackName.PLATFORM,)
    """Stacks that the agents run: those that need a way into the private network."""
    teams: dict[
        Annotated[str, text(r"^[A-Za-z0-9_-]{1,90}$", "a team: up to 90 letters, digits, dashes and underscores")],
        TeamAccess,
    ] = {}
    """Team to what it may do in every workspace of the environment; a team that is missing is created."""


class StateSettings(Model):
    """The state backend, the same for all stacks of the environment."""

    backend: StateBackend = StateBackend.LOCAL
    """Where the state is kept: a local folder, blob storage, or HCP Terraform."""
    azurerm: AzurermStateSettings | None = None
    """Required by the `azurerm` backend."""
    hcp: HcpStateSettings | None = None
    """Required by the `hcp` backend."""


class SecretSettings(Model):
    """Versions of the generated secrets; raising one rotates that secret."""

    versions: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=100_000)]],
        NoWayBack(stack="database", why="the value of that version is not in use any more", default="1"),
    ] = {}
    """Secret name to version; a secret that is not listed has version 1."""
