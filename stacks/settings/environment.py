"""The environment file as one model."""

from ipaddress import IPv4Address
from typing import Annotated

from pydantic import Field

from stacks.common.azure_names import AzureNames

from .azure import AzureSettings, OperatorSettings, SecretSettings, StateSettings
from .budget import BudgetSettings
from .chat import ChatSettings
from .cloud_models import CloudModelSettings
from .cluster import ClusterSettings
from .data import BackupSettings, DiskSettings, RegistrySettings, VaultSettings
from .database import DatabaseSettings
from .deployments import DeploymentSettings
from .egress import TrustSettings, pods_are_given
from .identity import IdentitySettings
from .images import ImageSettings
from .llm_gateway import GatewayServiceSettings
from .models import ModelSettings
from .monitoring import MonitoringSettings
from .network import IngressSettings, NetworkSettings
from .one_way.marks import DecidedOnce
from .opik import OpikSettings
from .private_access import FIRST_USABLE, CertificateSource, Exposure, Nameserver, PrivateAccessSettings
from .serving import ModelStore, ServingSettings
from .start_page import StartPageSettings
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
    exposure: Exposure = Exposure.PUBLIC
    """`public`: the ingress has a public address. `private`: it has a private one in the network, with a zone and
    certificates of its own; the platform answers nobody on the internet."""
    domain: DnsName
    """Parent of the host names: chat.<domain>, opik.<domain>, api.<domain>.
    With `exposure: private` it is the private DNS zone, `llm.internal` when left out."""
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
    trust: TrustSettings = TrustSettings()
    """Whose certificates nodes and pods believe beside the public authorities'."""
    private_access: PrivateAccessSettings = PrivateAccessSettings()
    """Addresses, zone, certificates and Tailscale of an environment with `exposure: private`."""
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
    start_page: StartPageSettings = StartPageSettings()
    """The page at which people begin."""
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
    cloud_models: tuple[CloudModelSettings, ...] = ()
    """Models outside the network, which people and programs reach through the LLM gateway. Off by default: what is
    asked of one leaves the network (docs/explanation/security.md)."""

    @property
    def azure_names(self) -> AzureNames:
        """Names of the environment's resources in Azure."""
        return AzureNames(prefix=self.prefix, environment=self.name, subscription_id=self.azure.subscription_id)

    @property
    def is_private(self) -> bool:
        """Whether nothing of the platform answers on the internet."""
        return self.exposure is Exposure.PRIVATE

    @property
    def has_start_page(self) -> bool:
        """Whether there is a start page; unless the file says so, with private exposure alone."""
        return self.is_private if self.start_page.enabled is None else self.start_page.enabled

    @property
    def ingress_address(self) -> IPv4Address:
        """Private address of the ingress, with `exposure: private`."""
        return self.private_access.ingress_address or self.network.ingress_subnet[FIRST_USABLE]

    @property
    def nameserver_address(self) -> IPv4Address | None:
        """Private address that answers for the zone, with `exposure: private`; None where nobody is known to."""
        access = self.private_access
        if access.nameserver_address or access.nameserver is Nameserver.NONE:
            return access.nameserver_address
        if access.nameserver is Nameserver.RESOLVER:
            return self.network.resolver_subnet[FIRST_USABLE]
        free = (self.network.ingress_subnet[position] for position in (FIRST_USABLE, FIRST_USABLE + 1))
        return next(address for address in free if address != self.ingress_address)

    @property
    def has_internal_ca(self) -> bool:
        """Whether a CA of the platform's own signs the certificate, which clients then have to install."""
        return self.is_private and self.private_access.certificates is CertificateSource.INTERNAL_CA

    @property
    def bundles_roots(self) -> bool:
        """Whether pods that call the platform's hosts are given the internal CA's root, by trust-manager."""
        return self.has_internal_ca and pods_are_given(self.cluster)

    @property
    def has_model_store(self) -> bool:
        """Whether engines share a store of weights, which then outlives the cluster."""
        return bool(self.models) and self.serving.model_store is ModelStore.AZURE_FILES
