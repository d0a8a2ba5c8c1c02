"""The gateway's list of models, from the environment's.

Both engines are called by their OpenAI-compatible API: LiteLLM's own driver for Ollama asks `/api/show` when somebody
lists models, waits for the answer, and so would start a GPU for a look around.
"""

from typing import Any

from stacks.platform.components.serving.engines import ServingEngine, engines
from stacks.settings import Settings
from stacks.settings.models import Engine, ModelSettings

from . import cloud
from .per_token import per_token

NO_KEY = "none"
"""What a driver sends that insists on a key, to an engine that asks for none."""


def model_list(settings: Settings) -> list[dict[str, Any]]:
    """Every served model as LiteLLM's `model_list` has it (https://docs.litellm.ai/docs/proxy/configs)."""
    own = [
        _model(engine, model, name)
        for engine in engines(settings.models, settings.cluster)
        for model in engine.models
        for name in model.served_names
    ]
    return [*own, *cloud.entries(settings.cloud_models)]


def _model(engine: ServingEngine, model: ModelSettings, name: str) -> dict[str, Any]:
    vllm = engine.engine is Engine.VLLM
    price = per_token(model.usd_per_million_tokens)
    return {
        "model_name": name,
        "litellm_params": {
            # vLLM knows the model by its listed name, Ollama by its tag.
            "model": f"hosted_vllm/{name}" if vllm else f"openai/{engine.served_id(model)}",
            "api_base": f"{engine.base_url}/v1",
            "api_key": "os.environ/VLLM_API_KEY" if vllm else NO_KEY,
            "input_cost_per_token": price,
            "output_cost_per_token": price,
        },
        "model_info": {"max_input_tokens": model.context_tokens},
    }
