"""Where the way out to cloud models answers, and who may take it: names on which everything around it has to agree."""

from collections.abc import Iterable

from stacks.platform.common.accounts import WorkloadAccount
from stacks.platform.common.traffic import Peer
from stacks.settings.cloud_models import CloudModelSettings

NAMESPACE = "cloud"
SERVICE = "cloud-egress"
PORT = 8080
PODS = {"app.kubernetes.io/name": SERVICE}
GATEWAY = Peer(namespace="gateway", pods={"app.kubernetes.io/name": "litellm"})
"""The LLM gateway, the only caller."""
ACCOUNT = WorkloadAccount("gateway", "litellm")
"""Service account with which the LLM gateway logs in to Azure OpenAI."""

BASE_URL = f"http://{SERVICE}.{NAMESPACE}.svc.cluster.local:{PORT}"
ENTRA = "entra"
"""First part of the path at which Entra is asked for a token."""


def address(model: CloudModelSettings) -> str:
    """Return the address at which the LLM gateway calls `model`."""
    return f"{BASE_URL}/{model.name}"


def token_url(tenant_id: str) -> str:
    """Return the address at which the LLM gateway gets a token of Entra's."""
    return f"{BASE_URL}/{ENTRA}/{tenant_id}/oauth2/v2.0/token"


def resource_ids(models: Iterable[CloudModelSettings]) -> tuple[str, ...]:
    """Return the Azure resources that the LLM gateway logs in to by its identity, each once."""
    return tuple(dict.fromkeys(model.resource_id for model in models if model.resource_id))
