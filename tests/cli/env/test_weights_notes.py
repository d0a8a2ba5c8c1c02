"""What `env check` says of models that may become others when they are downloaded again."""

import pytest

from scripts.cli.env.template import TEMPLATE
from scripts.core.environment_check import verdict_of
from scripts.core.notes.weights import weights_notes
from scripts.core.workspace import ROOT
from stacks.settings import Settings, load_settings

COMMIT = "b25037543e9394b818fdfca67ab2a00ecc7dd641"


def settings(tier: str, **revisions: str | None) -> Settings:
    """Return dev with that tier and other revisions of its models, by name."""
    plain = load_settings("dev").model_dump()
    plain["cluster"]["tier"] = tier
    for model in plain["models"]:
        model["revision"] = revisions.get(model["name"], model["revision"])
    return Settings.model_validate(plain)


@pytest.mark.parametrize("revision", [None, "main", COMMIT[:7]])
def test_a_branch_of_vllm_is_noted_where_no_uptime_is_paid_for(revision: str | None) -> None:
    (note,) = weights_notes(settings("Free", **{"qwen2-5-7b": revision}))
    assert "models without a commit in `revision`: qwen2-5-7b;" in note


def test_tags_of_ollama_are_noted_where_an_uptime_is_paid_for() -> None:
    assert list(weights_notes(settings("Free"))) == []
    (note,) = weights_notes(settings("Standard", **{"llama3.1-8b": "ab" * 32}))
    assert "digest in `revision`: phi3.5, mistral-7b, gemma2-2b, gpt-oss, deepseek-r1;" in note


def test_a_gated_model_without_a_token_is_noted() -> None:
    plain = settings("Free", **{"qwen2-5-7b": COMMIT}).model_dump()
    for model in plain["models"]:
        if model["name"] == "qwen2-5-7b":
            model |= {"id": "meta-llama/Llama-3.1-8B-Instruct"}
    (note,) = weights_notes(Settings.model_validate(plain))
    assert "meta-llama/Llama-3.1-8B-Instruct; set serving.hugging_face_token: true" in note
    plain["serving"]["hugging_face_token"] = True
    assert list(weights_notes(Settings.model_validate(plain))) == []


def test_env_check_shows_the_notes() -> None:
    verdict = verdict_of("prod", ROOT, None)
    assert "Ollama models without a digest in `revision`: llama3.1-8b, gpt-oss;" in " ".join(verdict.notes)


def test_a_new_environment_begins_with_a_commit() -> None:
    assert f"  - name: qwen2-5-7b\n    revision: {COMMIT}\n" in TEMPLATE
