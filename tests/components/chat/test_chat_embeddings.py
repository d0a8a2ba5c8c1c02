"""Models that make vectors: which may, how long those are, and how the database keeps long ones."""

from typing import Any

import pytest

from stacks.platform.components.chat.backends import embedding_variables
from stacks.settings import Settings, load_settings
from stacks.settings.rules.chat import embeddings_fit_their_model


def _settings(model_id: str, dimensions: int, *, engine: str = "ollama") -> Settings:
    values: dict[str, Any] = load_settings("dev").model_dump()
    served = {"name": "vectors", "engine": engine, "id": model_id, "pool": "t4", "weights_gib": 1}
    values["models"] = [*values["models"], served]
    values["chat"]["embeddings"] = {"model": "vectors", "dimensions": dimensions}
    return Settings.model_validate(values)


def _said(model_id: str, dimensions: int, *, engine: str = "ollama") -> list[str]:
    settings = _settings(model_id, dimensions, engine=engine)
    return [finding.message for finding in embeddings_fit_their_model(settings.chat, settings.models)]


@pytest.mark.parametrize(
    ("model_id", "dimensions"),
    [
        ("nomic-embed-text", 768),
        ("nomic-embed-text:v1.5", 768),
        ("qwen3-embedding:0.6b", 1024),
        ("qwen3-embedding:0.6b-fp16", 1024),
        ("qwen3-embedding:4b-q8_0", 2560),
        ("all-minilm:33m", 384),
        ("acme/unknown", 1234),
    ],
)
def test_lengths_of_known_models_are_known(model_id: str, dimensions: int) -> None:
    assert _said(model_id, dimensions) == []
    if "unknown" not in model_id:
        (problem,) = _said(model_id, 384 if dimensions != 384 else 512)
        assert f"must be {dimensions}" in problem


def test_a_chat_model_is_no_embedding_model() -> None:
    (problem,) = _said("llama3.1:8b", 384)
    assert "is a model that writes text (llama3.1:8b)" in problem
    (problem,) = _said("Qwen/Qwen3-8B-AWQ", 384, engine="vllm")
    assert "writes text" in problem


def test_vectors_that_the_database_cannot_index_are_refused() -> None:
    (problem,) = _said("qwen3-embedding:8b", 4000)
    assert "at most 4000" in problem


@pytest.mark.parametrize(("dimensions", "half"), [(768, None), (2000, None), (2001, "true"), (2560, "true")])
def test_long_vectors_are_kept_in_half_precision(dimensions: int, half: str | None) -> None:
    assert embedding_variables(_settings("acme/unknown", dimensions)).get("PGVECTOR_USE_HALFVEC") == half
