"""Which models the chat talks to: all through the gateway, or each engine directly where there is no gateway."""

from dataclasses import dataclass
from typing import Any

from stacks.platform.components.llm_gateway.address import BASE_URL as GATEWAY_URL
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.platform.components.serving.engines import engine_of, ollama_engines, vllm_engines
from stacks.settings import Settings
from stacks.settings.chat import LONGEST_FULL_VECTOR
from stacks.settings.models import Engine
from stacks.settings.secrets.names import GeneratedSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Addresses in the cluster."""

    openai: tuple[str, ...]
    """Bases of OpenAI-compatible APIs, which end in `/v1`."""
    key: GeneratedSecret | None
    """Key that all of those take; None without any."""
    ollama: tuple[str, ...]
    """Bases of Ollama's own API."""


def backends(settings: Settings) -> Backends:
    """Everything that the chat asks for models."""
    if has_gateway(settings.gateway):
        return Backends(openai=(GATEWAY_URL,), key=GeneratedSecret.GATEWAY_CHAT_KEY, ollama=())
    vllm = tuple(f"{engine.base_url}/v1" for engine in vllm_engines(settings.models, settings.cluster))
    return Backends(
        openai=vllm,
        key=GeneratedSecret.VLLM_API_KEY if vllm else None,
        ollama=tuple(engine.base_url for engine in ollama_engines(settings.models, settings.cluster)),
    )


def connection_values(settings: Settings, *, secret: str, key: str) -> dict[str, Any]:
    """Chart values of the connections; `secret` holds the keys, one for each address, under `key`.

    Without addresses the connection is off: an empty list would leave Open WebUI its default, OpenAI itself.
    """
    found = backends(settings)
    return {
        "enableOpenaiApi": bool(found.openai),
        "openaiBaseApiUrls": list(found.openai),
        **({"openaiApiKeysExistingSecret": secret, "openaiApiKeysExistingSecretKey": key} if found.openai else {}),
        "ollamaUrls": list(found.ollama),
    }


def embedding_variables(settings: Settings) -> dict[str, str]:
    """What makes vectors of documents, and how long those are."""
    embeddings = settings.chat.embeddings
    length = {"PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH": str(embeddings.dimensions)}
    if embeddings.dimensions > LONGEST_FULL_VECTOR:
        length["PGVECTOR_USE_HALFVEC"] = "true"
    if embeddings.model is None:
        return length | {
            "RAG_EMBEDDING_ENGINE": "",
            "RAG_EMBEDDING_MODEL": "sentence-transformers/all-MiniLM-L6-v2",
        }
    model = next(model for model in settings.models if model.name == embeddings.model)
    engine = engine_of(model, settings.models, settings.cluster)
    if has_gateway(settings.gateway) or model.engine is Engine.VLLM:
        base = GATEWAY_URL if has_gateway(settings.gateway) else f"{engine.base_url}/v1"
        return length | {
            "RAG_EMBEDDING_ENGINE": "openai",
            "RAG_EMBEDDING_MODEL": model.name,
            "RAG_OPENAI_API_BASE_URL": base,
        }
    return length | {
        "RAG_EMBEDDING_ENGINE": "ollama",
        "RAG_EMBEDDING_MODEL": engine.served_id(model),
        "RAG_OLLAMA_BASE_URL": engine.base_url,
    }


def embedding_key(settings: Settings) -> GeneratedSecret | None:
    """Key of the OpenAI-compatible API that makes vectors; None where there is none."""
    uses_openai = embedding_variables(settings)["RAG_EMBEDDING_ENGINE"] == "openai"
    return backends(settings).key if uses_openai else None
