"""Where the chat finds models, vectors and its database: the addresses in its variables, each with its key."""

import pytest

from stacks.platform.components.chat import secrets
from stacks.platform.components.chat.backends import backends, embedding_variables
from stacks.settings import Settings, load_settings
from stacks.settings.secrets.names import SECRETS, Alphabet, GeneratedSecret
from tests.support.chat.values import DIRECT, chat_values, chat_variables, settings_with
from tests.support.stacks.components import secret_names, secret_templates

HOST = "pg.example.com"


def test_models_are_reached_through_the_gateway_and_nothing_else() -> None:
    settings = settings_with()
    values = chat_values(settings)
    assert values["openaiBaseApiUrls"] == ["http://litellm.gateway.svc.cluster.local:4000/v1"]
    assert values["ollamaUrls"] == []
    assert secret_names(settings)["chat"]["chat-secrets"]["OPENAI_API_KEYS"] == "gateway-chat-key"


def test_without_a_gateway_every_engine_is_an_address_with_its_key() -> None:
    settings = settings_with(**DIRECT)
    values = chat_values(settings)
    assert values["openaiBaseApiUrls"] == ["http://serving-front.serving.svc.cluster.local:8080/vllm-qwen2-5-7b/v1"]
    assert values["ollamaUrls"] == ["http://serving-front.serving.svc.cluster.local:8080/ollama-t4"]
    assert secret_names(settings)["chat"]["chat-secrets"]["OPENAI_API_KEYS"] == "vllm-api-key"


def test_every_address_has_a_key() -> None:
    settings = settings_with("prod", **DIRECT)
    keys = secret_templates(settings, database_host=HOST)["chat"]["chat-secrets"]["OPENAI_API_KEYS"]
    assert len(chat_values(settings)["openaiBaseApiUrls"]) == 2
    assert keys == "%s;%s"


def test_without_any_model_open_webui_asks_nobody() -> None:
    settings = settings_with(**DIRECT).model_copy(update={"models": ()})
    values = chat_values(settings)
    # With an empty list of addresses Open WebUI would ask OpenAI itself.
    assert values["enableOpenaiApi"] is False
    assert values["openaiBaseApiUrls"] == values["ollamaUrls"] == []
    assert backends(settings).key is None
    assert "OPENAI_API_KEYS" not in secret_names(settings)["chat"]["chat-secrets"]


EMBEDDING = {
    "name": "nomic",
    "engine": "ollama",
    "id": "nomic-embed-text:v1.5",
    "pool": "t4",
    "quantization": "fp16",
    "weights_gib": 0.3,
}


@pytest.mark.parametrize(
    ("gateway", "engine", "model"), [(True, "openai", "nomic"), (False, "ollama", "nomic-embed-text:v1.5")]
)
def test_listed_model_makes_vectors_of_its_length(gateway: bool, engine: str, model: str) -> None:
    values = load_settings("dev").model_dump()
    values["models"] = [*values["models"], EMBEDDING]
    values["chat"] |= {"embeddings": {"model": "nomic", "dimensions": 768}}
    values["gateway"] |= {"enabled": gateway}
    settings = Settings.model_validate(values)
    variables = embedding_variables(settings)
    assert variables["PGVECTOR_INITIALIZE_MAX_VECTOR_LENGTH"] == "768"
    assert (variables["RAG_EMBEDDING_ENGINE"], variables["RAG_EMBEDDING_MODEL"]) == (engine, model)
    assert ("RAG_OPENAI_API_KEY" in secrets.variables(settings)) == gateway


def test_extension_is_made_by_the_job_and_not_by_the_chat() -> None:
    assert chat_variables(settings_with())["PGVECTOR_CREATE_EXTENSION"] == "False"


def test_database_is_addressed_with_encryption_and_a_password_that_needs_no_escapes() -> None:
    text = secret_templates(settings_with(), database_host=HOST)["chat"]["chat-secrets"]
    checked = "sslmode=verify-full&sslrootcert=/scripts/azure-roots.pem"
    assert text["DATABASE_URL"] == f"postgresql://open_webui:%s@{HOST}:5432/open_webui?{checked}"
    for secret in secrets.variables(settings_with()).values():
        assert SECRETS[GeneratedSecret(secret)].alphabet is Alphabet.LETTERS_AND_DIGITS
