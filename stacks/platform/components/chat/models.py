"""What the chat has to know of the models: which call tools, and which does its small tasks."""

import json

from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.platform.components.serving.engines import engine_of
from stacks.settings import Settings
from stacks.settings.model_catalogue.parsers import calls_tools
from stacks.settings.models import Engine, ModelSettings


def model_id(settings: Settings, model: ModelSettings) -> str:
    """Id of a model in Open WebUI: as gateway, vLLM or Ollama list it."""
    if has_gateway(settings.gateway) or model.engine is Engine.VLLM:
        return model.name
    tag = engine_of(model, settings.models, settings.cluster).served_id(model)
    return tag if ":" in tag else f"{tag}:latest"


def tools_by_model(settings: Settings) -> dict[str, bool]:
    """Whether each model that chats calls tools, by its id in Open WebUI."""
    return {
        name: calls_tools(model)
        for model in settings.models
        if model.name != settings.chat.embeddings.model
        for name in (model_id(settings, model), *(adapter.name for adapter in model.lora))
    }


def tool_variables(settings: Settings) -> dict[str, str]:
    """Built-in tools as the default for every model: off as soon as one cannot call any.

    Open WebUI offers about twenty tools of its own with every message in a browser, and an engine that cannot pass
    them on answers 400. Models that differ from the default are written down one by one
    (helm/open-webui/model_tools.py).
    """
    able = all(tools_by_model(settings).values())
    return {"DEFAULT_MODEL_METADATA": json.dumps({"capabilities": {"builtin_tools": able}})}


def task_variables(settings: Settings) -> dict[str, str]:
    """Titles, tags and follow-ups: whether a model writes them, and which."""
    tasks = settings.chat.tasks
    found = next((model for model in settings.models if model.name == tasks.model), None)
    name = model_id(settings, found) if found else ""
    return {
        "ENABLE_TITLE_GENERATION": str(tasks.title),
        "ENABLE_TAGS_GENERATION": str(tasks.tags),
        "ENABLE_FOLLOW_UP_GENERATION": str(tasks.follow_ups),
        # Which of the two counts depends on the model that answers: one of Ollama's own API, or any other.
        "TASK_MODEL": name,
        "TASK_MODEL_EXTERNAL": name,
    }


def waiting_variables(settings: Settings) -> dict[str, str]:
    """The pools of models that list several, for the line above an answer that does not begin; none without any."""
    orders = {
        name: ", then ".join(model.pool)
        for model in settings.models
        if model.later_pools
        for name in (model_id(settings, model), *(adapter.name for adapter in model.lora))
    }
    return {"POOLS_IN_ORDER": json.dumps(orders)} if orders else {}
