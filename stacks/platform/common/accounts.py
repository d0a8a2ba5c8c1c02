"""Service accounts that act in Azure: the names on which the stacks `aks` and `platform` have to agree.

`aks` trusts an account by its subject in a federated credential, `platform` makes or configures the account.
"""

from dataclasses import dataclass

TOKEN_AUDIENCE = "api://AzureADTokenExchange"  # noqa: S105
"""Audience that Entra expects of a token it exchanges."""


@dataclass(frozen=True, slots=True)
class WorkloadAccount:
    """A Kubernetes service account that a managed identity trusts."""

    namespace: str
    name: str

    @property
    def subject(self) -> str:
        """Subject of the account's tokens, as a federated credential names it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


def identity_annotations(client_id: str, tenant_id: str) -> dict[str, str]:
    """Annotations that tie a service account to the managed identity `client_id`."""
    return {"azure.workload.identity/client-id": client_id, "azure.workload.identity/tenant-id": tenant_id}
