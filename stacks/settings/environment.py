"""The environment file as one model."""

from typing import Annotated

from pydantic import Field

from stacks.common.azure_names import AzureNames

from .azure import AzureSettings, OperatorSettings, SecretSettings, StateSettings
from .budget import BudgetSettings
from .chat import ChatSettings
from .cluster import ClusterSettings
from .data import BackupSettings, DiskSettings, RegistrySettings, VaultSettings
from .database import DatabaseSettings
from .deployments import DeploymentSettings
from .identity import IdentitySettings
from .images import ImageSettings
from .llm_gateway import GatewayServiceSettings
from .models import ModelSettings
from .monitoring import MonitoringSettings
from .network import IngressSettings, NetworkSettings
from .one_way import DecidedOnce
from .opik import OpikSettings
from .serving import ModelStore, ServingSettings
from .types import DnsName, Model, ShortName, text

_NAMED = DecidedOnce(
    stack="disks", why="it is part of every Azure name, so that everything would be made a second time"
)


class Settings(Model):
    """One environment of the platform: `environments/<name>.yaml`."""

    name: Annotated[ShortName, _NAMED]
    """Name of the environment; equals the file's name and is part of every Azure name."""
    prefix: Annotated[ShortName, _NAMED] = "llm"
    """First part of every Azure name."""
    azure: AzureSettings
    """The subscription and the region."""
    domain: DnsName
    """Parent of the host names: chat.<domain>, opik.<domain>, api.<domain>."""
    tags: dict[
        Annotated[
            str,
            text(r"^[^<>%&\\?/\x00-\x1f]{1,128}$", "1 to 128 characters, none of < > % & ? / and backslash"),
        ],
        Annotated[str, Field(max_length=256)],
    ] = {}
    """Tags of every Azure resource besides `platform`, `environment` and `stack`."""
    state: StateSettings = StateSettings()
    """Where Terraform keeps the state of every stack."""
    operators: OperatorSettings = OperatorSettings()
    """Who may administer the cluster and the vault, and from where."""
    identity: IdentitySettings = IdentitySettings()
    """The Entra application that people log in with."""
    network: NetworkSettings = NetworkSettings()
    """Address ranges and outbound connectivity."""
    ingress: IngressSettings
    """How requests from outside reach the applications."""
    cluster: ClusterSettings = ClusterSettings()
    """The AKS cluster and its node pools."""
    disks: DiskSettings = DiskSettings()
    """Disks that outlive the cluster."""
    backups: BackupSettings = BackupSettings()
    """Backup sets of the whole environment: how many are kept, and where."""
    registry: RegistrySettings = RegistrySettings()
    """The container registry."""
    images: ImageSettings = ImageSettings()
    """How container images get into the registry."""
    database: DatabaseSettings = DatabaseSettings()
    """PostgreSQL Flexible Server with pgvector."""
    vault: VaultSettings = VaultSettings()
    """The Key Vault that holds every generated secret."""
    secrets: SecretSettings = SecretSettings()
    """Versions of the generated secrets."""
    private_endpoints: bool = True
    """Reach database, vault, registry (Premium) and storage by private addresses inside the network."""
    chat: ChatSettings = ChatSettings()
    """Open WebUI, the chat."""
    gateway: GatewayServiceSettings = GatewayServiceSettings()
    """LiteLLM, the one OpenAI-compatible API."""
    opik: OpikSettings = OpikSettings()
    """Opik, tracing and evaluation."""
    serving: ServingSettings = ServingSettings()
    """How models are served: stores, waiting, warm hours."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """Metrics, dashboards and alerts."""
    deployments: DeploymentSettings = DeploymentSettings()
    """What people notice while the platform is changed."""
    budget: BudgetSettings = BudgetSettings()
    """A monthly budget, and who is notified when the environment costs more."""
    models: tuple[ModelSettings, ...] = ()
    """What the platform serves."""

    @property
    def azure_names(self) -> AzureNames:
        """Names of the environment's resources in Azure."""
        return AzureNames(prefix=self.prefix, environment=self.name, subscription_id=self.azure.subscription_id)

    @property
    def has_model_store(self) -> bool:
        """Whether engines share a store of weights, which then outlives the cluster."""
        return bool(self.models) and self.serving.model_store is ModelStore.AZURE_FILES
