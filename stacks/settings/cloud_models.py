"""Models outside the network: Azure OpenAI, and whatever speaks its API. Off unless a file lists one."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from .models import ServedName
from .types import Model, VaultSecretName, text
from .types import resource_id as id_of


class CloudEngine(StrEnum):
    """What serves a model outside the network."""

    AZURE_OPENAI = "azure-openai"
    OPENAI_COMPATIBLE = "openai-compatible"


PlaceOfProcessing = Annotated[
    str,
    text(
        r"^(global|data-zone-(eu|us)|[a-z][a-z0-9]{3,30})$",
        "an Azure region such as swedencentral, data-zone-eu, data-zone-us or global",
    ),
]
"""Where a model computes, as Azure's deployment types put it: one region, a data zone, or wherever there is room."""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Endpoint = Annotated[
    str,
    text(
        rf"^https://({_LABEL}\.)+{_LABEL}(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9._~-]+)*$",
        "an https address such as https://acme.openai.azure.com, by name and without a slash at its end",
        max_length=300,
    ),
]


class CloudModelSettings(Model):
    """One model outside the network. What is asked of it leaves the network, to this one host."""

    name: ServedName
    """Name that users and the LLM gateway see."""
    engine: CloudEngine
    """What serves it: `azure-openai`, or any service that is `openai-compatible`."""
    endpoint: Endpoint
    """Address of the service: for Azure that of the resource, otherwise the base under which `/chat/completions` is."""
    id: Annotated[
        str, text(r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,119}$", "an Azure deployment or the service's name of the model")
    ]
    """Name of Azure's deployment, or the service's own name of the model."""
    api_version: Annotated[str, text(r"^20\d\d-\d\d-\d\d(-preview)?$", "a date such as 2024-10-21")] = "2024-10-21"
    """Version of Azure's API; `azure-openai` only."""
    resource_id: (
        Annotated[str, id_of("Microsoft.CognitiveServices/accounts", "an Azure OpenAI or Foundry resource")] | None
    ) = None
    """Azure OpenAI resource that the LLM gateway logs in to by its own identity, without any key: the deployment gives
    that identity the role `Cognitive Services OpenAI User` on it. Either this or `secret`."""
    secret: VaultSecretName | None = None
    """Name of the secret in the vault that holds the service's key, which you write there yourself."""
    processed_in: PlaceOfProcessing
    """Where prompts are processed: a region, `data-zone-eu`, `data-zone-us` or `global` (Azure's deployment types).
    It must be one of `gateway.cloud_places`."""
    context_tokens: Annotated[int, Field(ge=512, le=2_000_000)] = 128_000
    """Longest conversation, prompt and answer together."""
    usd_per_million_input_tokens: Annotated[float, Field(ge=0, le=10_000)]
    """What the service charges for prompts. Budgets and spend count it."""
    usd_per_million_output_tokens: Annotated[float, Field(ge=0, le=10_000)]
    """What the service charges for answers."""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Calls in a minute, of all callers together; the next one gets 429. Left out, the service's own limit."""
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Tokens in a minute, of all callers together."""
    chat: bool = False
    """Whether everybody may use it in the chat. Programs may use it where their key or its team names it."""
    tools: bool = True
    """Whether the model calls tools, without which the chat offers it none."""

    @property
    def host(self) -> str:
        """Host, and port where it is not 443, that requests leave to."""
        return urlsplit(self.endpoint).netloc
