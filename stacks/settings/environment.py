"""The environment file as one model."""

from typing import Annotated

from pydantic import StringConstraints

from .azure import AzureSettings, OperatorSettings, SecretSettings, StateSettings
from .cluster import ClusterSettings
from .data import DatabaseSettings, DiskSettings, RegistrySettings, VaultSettings
from .network import IngressSettings, NetworkSettings
from .types import DnsName, Model, ShortName
from .workloads import ChatSettings, GatewayServiceSettings, IdentitySettings, ModelSettings, OpikSettings


class Settings(Model):
    """One environment of the platform: `environments/<name>.yaml`."""

    name: ShortName
    """Name of the environment; equals the file's name and is part of every Azure name."""
    prefix: ShortName = "llm"
    """First part of every Azure name."""
    azure: AzureSettings
    domain: DnsName
    """Parent of the host names: chat.<domain>, opik.<domain>, api.<domain>."""
    tags: dict[
        Annotated[str, StringConstraints(pattern=r"^[^<>%&\\?/]{1,128}$")],
        Annotated[str, StringConstraints(max_length=256)],
    ] = {}
    """Tags of every Azure resource besides `platform`, `environment` and `stack`."""
    state: StateSettings = StateSettings()
    operators: OperatorSettings = OperatorSettings()
    identity: IdentitySettings = IdentitySettings()
    network: NetworkSettings = NetworkSettings()
    ingress: IngressSettings
    cluster: ClusterSettings = ClusterSettings()
    disks: DiskSettings = DiskSettings()
    registry: RegistrySettings = RegistrySettings()
    database: DatabaseSettings = DatabaseSettings()
    vault: VaultSettings = VaultSettings()
    secrets: SecretSettings = SecretSettings()
    private_endpoints: bool = True
    """Reach database, vault, registry (Premium) and storage by private addresses inside the network."""
    chat: ChatSettings = ChatSettings()
    gateway: GatewayServiceSettings = GatewayServiceSettings()
    opik: OpikSettings = OpikSettings()
    models: tuple[ModelSettings, ...] = ()
    """What the platform serves."""
