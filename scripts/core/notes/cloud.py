"""What a listed cloud model means: where prompts may go, and what tokens cost there."""

from collections.abc import Iterator

from stacks.settings.cloud_models import CloudModelSettings
from stacks.settings.models import ModelSettings


def cloud_notes(models: tuple[ModelSettings, ...], cloud_models: tuple[CloudModelSettings, ...]) -> Iterator[str]:
    """Yield a note for each host that prompts may leave to, and one about what answers instead of own models."""
    hosts = dict.fromkeys(model.host for model in cloud_models)
    for host in hosts:
        there = [model for model in cloud_models if model.host == host]
        names = ", ".join(f"{model.name} in {model.processed_in}" for model in there)
        yield f"prompts may leave the network to {host}: {names} (cloud_models)"
    answering = [f"{model.fallback} for {model.name}" for model in models if model.fallback]
    if answering:
        yield f"where an own model fails, one outside answers those who may use it: {', '.join(answering)}"


def token_prices(cloud_models: tuple[CloudModelSettings, ...]) -> Iterator[str]:
    """Yield what each cloud model costs, as a sentence's part."""
    for model in cloud_models:
        yield (
            f"{model.name} {model.usd_per_million_input_tokens:g} USD for a million tokens of prompts and"
            f" {model.usd_per_million_output_tokens:g} of answers"
        )
