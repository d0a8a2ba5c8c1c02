"""The gateway's list of models, from the environment's.

Both engines are called by their OpenAI-compatible API: LiteLLM's own driver for Ollama asks `/api/show` when somebody
lists models, waits for the answer, and so would start a GPU for a look around.
"""

from typing import Any

from stacks.platform.components.serving.engines import ServingEngine, engines
from stacks.settings import Settings
from stacks.settings.models import Engine, ModelSettings

NO_KEY = "none"
"""What a driver sends that insists on a key, to an engine that asks for none."""


def model_list(settings: Settings) -> list[dict[str, Any]]:
    """Every served model as LiteLLM's `model_list` has it (https://docs.litellm.ai/docs/proxy/configs)."""
    return [
        _model(engine, model, name)
        for engine in engines(settings)
        for model in engine.models
        for name in model.served_names
    ]


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


def per_token(usd_per_million: float) -> str:
    """Price of one token in plain decimals.

    As a number it would reach the file as `2e-06`, which YAML 1.1 reads as a text and LiteLLM as no price at all.
    """
    return f"{usd_per_million / 1_000_000:.12f}".rstrip("0").rstrip(".") or "0"
