"""Which models call tools, and which do the chat's small tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.components.chat import release
from stacks.settings import Settings, load_settings
from stacks.settings.model_catalogue.parsers import calls_tools, tool_parser
from stacks.settings.models import ModelSettings
from tests.support.stacks.components import with_images
from tests.support.stacks.synthesis import synthesize

OLLAMA: dict[str, Any] = {"engine": "ollama", "pool": "t4", "quantization": "q4", "weights_gib": 1}
VLLM: dict[str, Any] = {"engine": "vllm", "pool": "t4", "quantization": "awq", "weights_gib": 1}
LLAMA = OLLAMA | {"name": "llama", "id": "llama3.1:8b"}
PHI = OLLAMA | {"name": "phi", "id": "phi3.5"}
QWEN = VLLM | {"name": "qwen", "id": "Qwen/Qwen2.5-7B-Instruct-AWQ"}


def _settings(*models: dict[str, Any], gateway: bool = True, **chat: Any) -> Settings:
    values = load_settings("dev").model_dump()
    values["models"] = list(models)
    values["gateway"] |= {"enabled": gateway}
    values["chat"] |= chat
    return Settings.model_validate(values)


def _variables(settings: Settings) -> dict[str, str]:
    return release.variables(settings, client_id="client")


def _migration(settings: Settings) -> dict[str, str]:
    values = release.open_webui(*with_images(settings), client_id="client", group_id="group", tenant_id="tenant")
    (migrate,) = (each for each in values["extraInitContainers"] if each["name"] == "migrate")
    return {variable["name"]: variable.get("value", "") for variable in migrate["env"]}


@pytest.mark.parametrize(
    ("model", "parser"),
    [
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "hermes"),
        ("Qwen/Qwen3-32B-FP8", "hermes"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder"),
        ("openai/gpt-oss-20b", "openai"),
        ("Qwen/Qwen3-Embedding-0.6B", None),
        ("microsoft/Phi-3.5-mini-instruct", None),
        ("acme/own-model", None),
    ],
)
def test_parser_of_a_known_family_is_found(model: str, parser: str | None) -> None:
    settings = ModelSettings.model_validate(VLLM | {"name": "m", "id": model})
    assert tool_parser(settings) == parser
    assert calls_tools(settings) == (parser is not None)


def test_parser_of_the_file_wins_and_tools_can_be_switched_off() -> None:
    named = ModelSettings.model_validate(VLLM | {"name": "m", "id": "acme/own", "tool_parser": "mistral"})
    assert (tool_parser(named), calls_tools(named)) == ("mistral", True)
    off = ModelSettings.model_validate(QWEN | {"tools": False})
    assert (tool_parser(off), calls_tools(off)) == (None, False)


def test_engine_is_told_the_parser_of_a_model_that_the_chat_offers_tools(tmp_path: Path) -> None:
    settings = load_settings("dev")
    assert json.loads(_migration(settings)["MODEL_TOOLS"])["qwen2-5-7b"] is True
    releases = synthesize(settings, tmp_path).resources("platform", "helm_release")
    (values,) = (json.dumps(each["values"]) for name, each in releases.items() if name.startswith("vllm"))
    for argument in ("--enable-auto-tool-choice", "--tool-call-parser=hermes"):
        assert argument in values


@pytest.mark.parametrize(
    ("model", "able"),
    [
        ("llama3.1:8b", True), ("mistral:7b", True), ("gpt-oss", True), ("deepseek-r1", True),
        ("phi3.5", False), ("gemma2:2b", False), ("acme/own", False),
    ],
)  # fmt: skip
def test_ollamas_models_call_tools_where_its_library_says_so(model: str, able: bool) -> None:
    assert calls_tools(ModelSettings.model_validate(OLLAMA | {"name": "m", "id": model})) is able
    assert calls_tools(ModelSettings.model_validate(OLLAMA | {"name": "m", "id": model, "tools": not able})) is not able


def test_chat_offers_its_tools_to_no_model_as_soon_as_one_cannot_call_any() -> None:
    # Open WebUI sends them with every message in a browser, and such an engine answers 400.
    settings = _settings(LLAMA, PHI, QWEN)
    assert _variables(settings)["DEFAULT_MODEL_METADATA"] == '{"capabilities": {"builtin_tools": false}}'
    able = _settings(LLAMA, QWEN)
    assert _variables(able)["DEFAULT_MODEL_METADATA"] == '{"capabilities": {"builtin_tools": true}}'


def test_dev_has_models_without_tools_and_tells_them_apart() -> None:
    settings = load_settings("dev")
    assert _variables(settings)["DEFAULT_MODEL_METADATA"] == '{"capabilities": {"builtin_tools": false}}'
    assert json.loads(_migration(settings)["MODEL_TOOLS"]) == {
        "phi3.5": False,
        "llama3.1-8b": True,
        "mistral-7b": True,
        "gemma2-2b": False,
        "gpt-oss": True,
        "deepseek-r1": True,
        "qwen2-5-7b": True,
    }


def test_models_are_written_down_by_the_names_under_which_the_chat_lists_them() -> None:
    direct = _migration(_settings(PHI, LLAMA, QWEN, gateway=False))
    assert json.loads(direct["MODEL_TOOLS"]) == {"phi3.5:latest": False, "llama3.1:8b": True, "qwen": True}
    assert direct["DEFAULT_MODEL_METADATA"] == '{"capabilities": {"builtin_tools": false}}'


def test_embedding_model_is_no_model_without_tools() -> None:
    nomic = OLLAMA | {"name": "nomic", "id": "nomic-embed-text:v1.5", "quantization": "fp16"}
    settings = _settings(LLAMA, nomic, embeddings={"model": "nomic", "dimensions": 768})
    assert json.loads(_migration(settings)["MODEL_TOOLS"]) == {"llama": True}


def test_a_message_asks_for_the_answer_and_a_title_unless_more_is_wanted() -> None:
    variables = _variables(_settings(LLAMA, PHI))
    wanted = ("ENABLE_TITLE_GENERATION", "ENABLE_TAGS_GENERATION", "ENABLE_FOLLOW_UP_GENERATION")
    assert [variables[name] for name in wanted] == ["True", "False", "False"]
    assert variables["TASK_MODEL"] == variables["TASK_MODEL_EXTERNAL"] == ""
    off = _variables(_settings(LLAMA, PHI, tasks={"title": False, "tags": True, "follow_ups": True}))
    assert [off[name] for name in wanted] == ["False", "True", "True"]


@pytest.mark.parametrize(("gateway", "name"), [(True, "phi"), (False, "phi3.5:latest")])
def test_small_tasks_go_to_the_model_of_the_file(gateway: bool, name: str) -> None:
    variables = _variables(_settings(LLAMA, PHI, gateway=gateway, tasks={"model": "phi"}))
    assert variables["TASK_MODEL"] == variables["TASK_MODEL_EXTERNAL"] == name
