"""Identities of workloads with their roles on what other stacks own: the vault, a DNS zone, Azure OpenAI."""

from collections.abc import Iterable
from hashlib import sha256

from cdktf_cdktf_provider_azurerm.kubernetes_cluster import KubernetesCluster

from constructs.role_assignment import RoleAssignment
from stacks.common.base import EnvironmentStack
from stacks.common.hosts import Host
from stacks.platform.components.certificates.kept import keeps, kept_of, vault_names
from stacks.platform.components.certificates.names import ACCOUNT as CERT_MANAGER
from stacks.platform.components.certificates.names import KEEPER
from stacks.platform.components.cloud_models.address import ACCOUNT as CLOUD_CALLER
from stacks.platform.components.databases.jobs import ACCOUNT as PREPARER
from stacks.platform.components.databases.jobs import ADMINISTRATOR
from stacks.platform.components.secrets.names import VAULT_READER
from stacks.settings import Settings
from stacks.settings.private_access import name_of

from .workload_identities import add_workload_identity


def add_vault_reader(stack: EnvironmentStack, *, cluster: KubernetesCluster, vault_id: str) -> str:
    """Add the identity of External Secrets, which reads every secret of the vault; return its client id."""
    identity = add_workload_identity(stack, "external-secrets", VAULT_READER, cluster=cluster)
    RoleAssignment(
        stack,
        "external-secrets-vault",
        role="Key Vault Secrets User",
        on=vault_id,
        principal_id=identity.principal_id,
    )
    return identity.client_id


def add_preparer(stack: EnvironmentStack, *, cluster: KubernetesCluster, vault_id: str) -> str:
    """Add the identity of the databases' Job, which reads the administrator's password; return its client id."""
    identity = add_workload_identity(stack, "databases", PREPARER, cluster=cluster)
    RoleAssignment(
        stack,
        "databases-administrator",
        role="Key Vault Secrets User",
        # One secret of the vault, whose others it cannot read.
        on=f"{vault_id}/secrets/{ADMINISTRATOR.value}",
        principal_id=identity.principal_id,
    )
    return identity.client_id


def add_cert_manager(stack: EnvironmentStack, *, cluster: KubernetesCluster) -> str:
    """Add cert-manager's identity and return its client id.

    It writes the records by which Let's Encrypt knows a private environment's domain.
    """
    identity = add_workload_identity(stack, "cert-manager", CERT_MANAGER, cluster=cluster)
    zone = stack.settings.private_access.public_zone_id
    if stack.settings.is_private and zone:
        RoleAssignment(
            stack, "cert-manager-zone", role="DNS Zone Contributor", on=zone, principal_id=identity.principal_id
        )
    return identity.client_id


def kept_names(settings: Settings, hosts: Iterable[Host]) -> tuple[str, ...]:
    """Return the names in the vault of the certificates that are kept there."""
    if settings.is_private:
        return tuple(secret.vault for secret in kept_of(settings, hosts))
    return vault_names(hosts) if keeps(settings.ingress) else ()


def add_certificate_keeper(
    stack: EnvironmentStack, names: Iterable[str], *, cluster: KubernetesCluster, vault_id: str
) -> str:
    """Add the identity that keeps certificates under `names` in the vault; it may read and write these alone.

    Return its client id, empty where none is kept.
    """
    if not (kept := tuple(names)):
        return ""
    keeper = add_workload_identity(stack, "certificate-keeper", KEEPER, cluster=cluster)
    for name in kept:
        RoleAssignment(
            stack,
            f"keeper-{name}",
            role="Key Vault Secrets Officer",
            on=f"{vault_id}/secrets/{name}",
            principal_id=keeper.principal_id,
        )
    return keeper.client_id


def add_cloud_caller(stack: EnvironmentStack, resources: Iterable[str], *, cluster: KubernetesCluster) -> str:
    """Add the LLM gateway's identity at Azure OpenAI; it may call models there, and cannot read keys.

    `resources` are ids of Azure; return its client id.
    """
    identity = add_workload_identity(stack, "cloud-models", CLOUD_CALLER, cluster=cluster)
    for resource in resources:
        # Two resources of one name are told apart by their groups.
        name = f"{name_of(resource)}-{sha256(resource.lower().encode()).hexdigest()[:6]}"
        RoleAssignment(
            stack,
            f"cloud-models-{name}",
            role="Cognitive Services OpenAI User",
            on=resource,
            principal_id=identity.principal_id,
        )
    return identity.client_id
