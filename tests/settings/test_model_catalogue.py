"""A name of the catalogue is enough, figures of the file win, and entries that say everything stay as they are."""

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.settings import SettingsError, load_settings, parse_settings
from stacks.settings.model_catalogue.engine_statements import vllm_statements
from stacks.settings.model_catalogue.entries import FILE, catalogue, find, search
from stacks.settings.models import Engine, ModelSettings
from stacks.settings.rules.models import KNOWN_TO_OLLAMA, KNOWN_TO_VLLM

HEAD = """
name: dev
azure: {subscription_id: 4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90, region: westeurope}
domain: llm.acme.io
ingress: {acme_email: platform@acme.io}
cluster: {gpu_pools: {%s}}
models: [%s]
"""
T4 = "t4: {vm_size: Standard_NC4as_T4_v3}"
A100 = "a100: {vm_size: Standard_NC24ads_A100_v4}"


def _model(entry: str, *pools: str) -> ModelSettings:
    (model,) = parse_settings(HEAD % (", ".join(pools or (T4,)), entry), "environments/dev.yaml").models
    return model


def _refused(entry: str, *pools: str) -> str:
    with pytest.raises(SettingsError) as error:
        _model(entry, *pools)
    return str(error.value)


def test_a_name_is_enough() -> None:
    model = _model("{name: qwen3-8b}")
    assert (model.engine, model.id, model.first_pool, model.quantization) == ("vllm", "Qwen/Qwen3-8B-AWQ", "t4", "awq")
    assert (model.weights_gib, model.kv_cache_kib_per_token, model.context_tokens) == (5.7, 144, 8192)


def test_every_figure_of_the_file_wins() -> None:
    entry = "{name: qwen3-8b, weights_gib: 6, context_tokens: 4096, kv_cache_kib_per_token: 72, pool: a100}"
    model = _model(entry, T4, A100)
    assert (model.weights_gib, model.context_tokens, model.kv_cache_kib_per_token) == (6, 4096, 72)
    assert model.first_pool == "a100"


def test_engine_and_format_of_the_file_choose_the_offer() -> None:
    assert _model("{name: qwen3-8b, engine: ollama}").id == "qwen3:8b"
    assert _model("{name: qwen3-8b, quantization: fp8}", A100).id == "Qwen/Qwen3-8B-FP8"
    # vLLM's names have no dots.
    assert _model("{name: qwen2.5-7b}").engine is Engine.OLLAMA
    assert _model("{name: qwen2-5-7b}").engine is Engine.VLLM


def test_the_first_pool_that_has_the_room_is_taken() -> None:
    assert _model("{name: qwen3-32b}", T4, A100).first_pool == "a100"
    assert _model("{name: qwen3-4b}", A100, T4).first_pool == "a100"


def test_what_no_pool_can_serve_is_refused_with_the_sum() -> None:
    assert "31.5 weights" in _refused("{name: qwen3-32b}")


def test_an_unknown_name_is_one_sentence_with_the_nearest() -> None:
    error = _refused("{name: qwen3-9b}")
    assert "is no name of helm/models.yaml; did you mean qwen3-8b" in error
    assert "otherwise write engine, id, weights_gib as well" in error
    assert "is required" not in error


def test_a_format_that_the_catalogue_has_not_is_one_sentence() -> None:
    error = _refused("{name: qwen2-5-7b, quantization: bf16}")
    assert "is in helm/models.yaml as vllm awq, ollama q4 alone; otherwise write engine, id, weights_gib" in error
    assert "is required" not in error


def test_an_entry_that_says_what_is_served_is_left_as_it_is() -> None:
    # It may be deployed: figures of the catalogue must not change it.
    model = _model("{name: qwen3-8b, engine: vllm, id: Qwen/Qwen3-8B-AWQ, pool: t4, weights_gib: 5, quantization: awq}")
    assert (model.kv_cache_kib_per_token, model.weights_gib) == (128, 5)


def test_a_name_of_ones_own_takes_the_figures_of_its_tag() -> None:
    model = _model("{name: helper, id: 'llama3.1:8b'}")
    assert (model.engine, model.weights_gib) == ("ollama", 4.6)


@pytest.mark.parametrize(
    "entry", ["{name: 5}", "5", "{name: qwen3-8b, context_tokens: many}", "{name: qwen3-8b, gpus: x}"]
)
def test_what_is_of_the_wrong_kind_is_refused_as_such(entry: str) -> None:
    assert "environments/dev.yaml:" in _refused(entry)


def test_dev_is_short_and_serves_what_it_served() -> None:
    served = {model.name: (model.engine.value, model.id, model.weights_gib) for model in load_settings("dev").models}
    assert served == {
        "phi3.5": ("ollama", "phi3.5", 2.1),
        "llama3.1-8b": ("ollama", "llama3.1:8b", 4.6),
        "mistral-7b": ("ollama", "mistral:7b", 4.1),
        "gemma2-2b": ("ollama", "gemma2:2b", 1.5),
        "gpt-oss": ("ollama", "gpt-oss", 11.8),
        "deepseek-r1": ("ollama", "deepseek-r1", 4.9),
        "qwen2-5-7b": ("vllm", "Qwen/Qwen2.5-7B-Instruct-AWQ", 5.2),
    }


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_entry_is_one_that_its_engine_takes(name: str) -> None:
    model = catalogue()[name]
    assert model.offers
    assert model.licence
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.source)
    for offer in model.offers:
        known = KNOWN_TO_VLLM if offer.engine == "vllm" else KNOWN_TO_OLLAMA
        assert offer.quantization in known
        fields: dict[str, Any] = {"name": "m", "pool": "t4", "engine": offer.engine, "id": offer.id}
        ModelSettings.model_validate(fields | {"weights_gib": offer.weights_gib})
        assert ("/" in offer.id) is (offer.engine == "vllm")
        assert find("x", offer.id) is model
    assert find("x", "acme/other") is None


def test_formats_of_the_catalogue_are_ones_whose_cards_are_known() -> None:
    formats = {offer.quantization for model in catalogue().values() for offer in model.offers if offer.engine == "vllm"}
    assert formats <= vllm_statements().capabilities.keys()


def test_the_catalogue_says_when_and_from_where_its_figures_were_known() -> None:
    head = Path(FILE).read_text("utf-8").partition("\n\n")[0]
    assert re.search(r"As known on 20\d\d-\d\d-\d\d;", head)
    assert "Ollama's library" in head


def test_search_finds_parts_of_names_and_near_ones() -> None:
    assert [model.name for model in search("coder-30")] == ["qwen3-coder-30b"]
    assert "phi3.5" in [model.name for model in search("phi35")]
    assert search("zzzzzz") == []
