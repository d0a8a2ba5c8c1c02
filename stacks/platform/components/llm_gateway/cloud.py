"""Models outside the network, as the LLM gateway has them: entries of its list, fall-backs, keys, its own identity."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stacks.platform.components.base import GatewayCaller
from stacks.platform.components.cloud_models.address import ACCOUNT, address, resource_ids, token_url
from stacks.settings.cloud_models import CloudEngine, CloudModelSettings
from stacks.settings.models import ModelSettings

from .per_token import per_token

ID = "outside-"
"""How their ids begin, by which helm/litellm/cloud.py knows them."""
CALLBACK = "cloud.platform"


def entries(models: Iterable[CloudModelSettings]) -> list[dict[str, Any]]:
    """Return the models as LiteLLM's `model_list` has them; they are called through the one way out."""
    return [_entry(model) for model in models]


def _entry(model: CloudModelSettings) -> dict[str, Any]:
    azure = model.engine is CloudEngine.AZURE_OPENAI
    limits = {"rpm": model.requests_per_minute, "tpm": model.tokens_per_minute}
    keyless = {"keyless": True} if model.resource_id else {}
    return {
        "model_name": model.name,
        "litellm_params": {
            "model": f"{'azure' if azure else 'openai'}/{model.id}",
            "api_base": address(model),
            **({"api_version": model.api_version} if azure else {}),
            **({"api_key": f"os.environ/{variable(model.secret)}"} if model.secret else {}),
            # LiteLLM's client for this API insists on a key.
            **({"api_key": "none"} if not azure and not model.secret else {}),
            "input_cost_per_token": per_token(model.usd_per_million_input_tokens),
            "output_cost_per_token": per_token(model.usd_per_million_output_tokens),
            **{name: limit for name, limit in limits.items() if limit},
        },
        "model_info": {"id": f"{ID}{model.name}", "max_input_tokens": model.context_tokens, **keyless},
    }


def variable(secret: str) -> str:
    """Return the variable of LiteLLM, and the key in its Secret, that holds a service's key."""
    return f"CLOUD_KEY_{re.sub('[^A-Z0-9]', '_', secret.upper())}"


def secret_keys(models: Iterable[CloudModelSettings]) -> dict[str, str]:
    """Return the keys in the gateway's Secret, each with its name in the vault."""
    return {variable(model.secret): model.secret for model in models if model.secret}


def router_settings(models: tuple[ModelSettings, ...], cloud_models: tuple[CloudModelSettings, ...]) -> dict[str, Any]:
    """Return who answers for whom, and that the limits of the file are kept."""
    if not cloud_models:
        return {}
    fallbacks = [{name: [model.fallback]} for model in models if model.fallback for name in model.served_names]
    return {
        # Without it LiteLLM takes them for weights alone.
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
        **({"fallbacks": fallbacks} if fallbacks else {}),
    }


def general_settings(cloud_models: tuple[CloudModelSettings, ...]) -> dict[str, Any]:
    """Return what makes LiteLLM ask for each fall-back whether the key may use it."""
    return {"enforce_fallback_model_access": True} if cloud_models else {}


def key_models(
    models: tuple[ModelSettings, ...], cloud_models: tuple[CloudModelSettings, ...], callers: Iterable[GatewayCaller]
) -> dict[str, list[str]]:
    """Return the models that each key of the platform may use, by its alias: every one of ours, outside as listed."""
    if not cloud_models:
        return {}
    own = [name for model in models for name in model.served_names]
    shown = [model.name for model in cloud_models if model.chat]
    return {caller.key_name: [*own, *shown] if caller.private else own for caller in callers}


def values(
    models: tuple[ModelSettings, ...],
    cloud_models: tuple[CloudModelSettings, ...],
    callers: Iterable[GatewayCaller],
    *,
    client_id: str,
    tenant_id: str,
) -> Mapping[str, Any]:
    """Return the chart values of all of this; `client_id` is the gateway's own identity in the tenant."""
    known = tuple(callers)
    if not cloud_models:
        return {}
    identity = {
        "account": ACCOUNT.name,
        "clientId": client_id,
        "tokenUrl": token_url(tenant_id),
    }
    return {
        "cloud": {
            "models": {model.name: model.processed_in for model in cloud_models},
            "chatKeys": ",".join(caller.key_name for caller in known if caller.private),
            "keys": sorted(secret_keys(cloud_models)),
            "identity": identity if resource_ids(cloud_models) else {},
        },
        "platformKeyModels": key_models(models, cloud_models, known),
    }
