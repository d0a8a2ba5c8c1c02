"""Which models a Turing card starts, by name as people write them, and how long an Ollama may load."""

import pytest

from stacks.platform.components.serving import ollama
from stacks.platform.components.serving.engines import engines
from stacks.settings import load_settings
from stacks.settings.model_catalogue.engine_statements import vllm_statements
from stacks.settings.models import Engine, Quantization
from stacks.settings.rules import gpu_cards, gpu_room
from tests.support.stacks.components import images_of


def _findings(model_id: str, *, vm_size: str = "Standard_NC4as_T4_v3", engine: Engine = Engine.VLLM) -> list[str]:
    settings = load_settings("dev")
    (served,) = (model for model in settings.models if model.engine is Engine.VLLM)
    pool = settings.cluster.gpu_pools["t4"].model_copy(update={"vm_size": vm_size})
    cluster = settings.cluster.model_copy(update={"gpu_pools": {"t4": pool}})
    models = (served.model_copy(update={"id": model_id, "engine": engine}),)
    return [finding.message for finding in gpu_cards.turing_starts_the_models(models, cluster)]


@pytest.mark.parametrize(
    ("model_id", "why"),
    [
        ("google/gemma-2-9b-it", "gemma2"),
        ("solidrust/gemma-2-9b-it-AWQ", "gemma2"),
        ("google/gemma-3-12b-it", "gemma3"),
        ("zai-org/GLM-4-9B-0414", "glm4"),
        ("zai-org/GLM-Z1-9B-0414", "glm4"),
        ("google/gemma-7b-it", "too wide"),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "too wide"),
    ],
)
def test_what_the_pinned_vllm_refuses_on_a_t4_is_refused(model_id: str, why: str) -> None:
    (problem,) = _findings(model_id)
    assert why in problem
    assert _findings(model_id, vm_size="Standard_NC24ads_A100_v4") == []
    assert _findings(model_id, engine=Engine.OLLAMA) == []


@pytest.mark.parametrize(
    "model_id", ["Qwen/Qwen2.5-7B-Instruct-AWQ", "mistralai/Mistral-7B-Instruct-v0.3", "zai-org/glm-4-9b-chat-hf"]
)
def test_other_models_start_there(model_id: str) -> None:
    assert _findings(model_id) == []


def test_ollama_loads_no_longer_than_weights_may_take_by_the_rule() -> None:
    settings = load_settings("dev")
    (engine,) = (engine for engine in engines(settings.models, settings.cluster) if engine.name == "ollama-t4")
    environment = {
        item["name"]: item["value"]
        for item in ollama.ollama(settings.cluster, settings.serving, images_of(settings), engine)["extraEnv"]
    }
    assert environment["OLLAMA_LOAD_TIMEOUT"] == "600s"
    assert gpu_room.LOAD_SECONDS == 600


def test_models_that_vllm_refuses_in_half_precision_are_those_of_its_own_list() -> None:
    # gemma3_text is the type inside of gemma3's repositories.
    assert {*gpu_cards.NO_HALF_PRECISION, "gemma3_text"} == vllm_statements().not_in_half_precision


@pytest.mark.parametrize(("kind", "starts"), [("fp8", True), ("awq", True), ("mxfp4", False), ("bf16", False)])
def test_a_t4_runs_the_formats_that_the_pinned_vllm_says_it_does(kind: str, starts: bool) -> None:
    settings = load_settings("dev")
    (served,) = (model for model in settings.models if model.engine is Engine.VLLM)
    models = (served.model_copy(update={"quantization": Quantization(kind)}),)
    assert (list(gpu_cards.gpus_can_compute_the_models(models, settings.cluster)) == []) is starts
