"""Who pods are to Azure and to the Entra application: identities and credentials that trust service accounts."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azuread.application_federated_identity_credential import (
    ApplicationFederatedIdentityCredential,
)
from cdktf_cdktf_provider_azuread.provider import AzureadProvider
from cdktf_cdktf_provider_azurerm.kubernetes_cluster import KubernetesCluster
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs.workload_identity import WorkloadIdentity
from stacks.common.base import EnvironmentStack
from stacks.platform.common.accounts import TOKEN_AUDIENCE, WorkloadAccount


def add_workload_identity(
    stack: EnvironmentStack, name: str, account: WorkloadAccount, *, cluster: KubernetesCluster
) -> UserAssignedIdentity:
    """Add an identity that pods of one service account get, and nobody else."""
    return WorkloadIdentity(
        stack,
        name,
        name=stack.names.resource(name),
        group=stack.resource_group,
        issuer_url=cluster.oidc_issuer_url,
        service_account=account.name,
        subject=account.subject,
        audience=TOKEN_AUDIENCE,
        tags=stack.tags,
    ).identity


def trust_logins(
    stack: EnvironmentStack,
    accounts: Mapping[str, WorkloadAccount],
    *,
    cluster: KubernetesCluster,
    application_id: str,
) -> None:
    """Let pods of service accounts act as the Entra application: they log people in without a client secret."""
    AzureadProvider(stack, "azuread")
    for name, account in accounts.items():
        ApplicationFederatedIdentityCredential(
            stack,
            f"login-{name}",
            application_id=application_id,
            display_name=f"{stack.names.base}-{name}",
            description=f"The service account {account.name} in the namespace {account.namespace}",
            audiences=[TOKEN_AUDIENCE],
            issuer=cluster.oidc_issuer_url,
            subject=account.subject,
        )
