"""Service accounts that act in Azure: the names on which the stacks `aks` and `platform` have to agree.

`aks` trusts an account by its subject in a federated credential, `platform` makes or configures the account.
"""

from dataclasses import dataclass

from stacks.settings import Settings


@dataclass(frozen=True, slots=True)
class WorkloadAccount:
    """A Kubernetes service account that a managed identity trusts."""

    namespace: str
    name: str

    @property
    def subject(self) -> str:
        """Subject of the account's tokens, as a federated credential names it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


CERT_MANAGER = WorkloadAccount("cert-manager", "cert-manager")
"""cert-manager's controller."""

VAULT_READER = WorkloadAccount("external-secrets", "vault-reader")
"""The account that External Secrets asks a token for when it reads the vault; no pod runs as it."""

OPEN_WEBUI = WorkloadAccount("chat", "open-webui")
"""The chat, which logs people in itself."""

OAUTH2_PROXY = WorkloadAccount("opik", "oauth2-proxy")
"""The proxy that logs people in before Opik."""

GRAFANA = WorkloadAccount("monitoring", "grafana")
"""Grafana, which logs people in itself and reads Azure's own metrics."""

TOKEN_AUDIENCE = "api://AzureADTokenExchange"  # noqa: S105
"""Audience that Entra expects of a token it exchanges."""


def identity_annotations(client_id: str, tenant_id: str) -> dict[str, str]:
    """Annotations that tie a service account to the managed identity `client_id`."""
    return {"azure.workload.identity/client-id": client_id, "azure.workload.identity/tenant-id": tenant_id}


def login_accounts(settings: Settings) -> dict[str, WorkloadAccount]:
    """Accounts that prove themselves to Entra as the login application, by the name of their credential."""
    enabled = {
        OPEN_WEBUI: settings.chat.enabled,
        OAUTH2_PROXY: settings.opik.enabled,
        GRAFANA: settings.monitoring.enabled,
    }
    return {account.name: account for account, wanted in enabled.items() if wanted}
