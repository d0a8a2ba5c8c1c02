"""Which models the command line can ask: by the chat's key, what people can ask in the chat."""

from scripts.applications.chat.asking import Measured
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.cloud_models import CloudModelSettings
from stacks.settings.models import ModelSettings


def askable(settings: Settings, model: str) -> ModelSettings | CloudModelSettings:
    """Return a model that the environment's chat can ask, own or outside the network. Raises OperatorError."""
    own_ones = (each for each in settings.models if model in each.served_names)
    outside = (each for each in settings.cloud_models if model == each.name)
    found: ModelSettings | CloudModelSettings | None = next(own_ones, None) or next(outside, None)
    if found is None:
        names = [name for each in settings.models for name in each.served_names]
        names += [each.name for each in settings.cloud_models]
        raise OperatorError(
            f"{settings.name} has no model {model}", f"it has {', '.join(names) or 'none'}", ExitCode.USAGE
        )
    if isinstance(found, CloudModelSettings) and not found.chat:
        raise OperatorError(
            f"the chat's key, by which llmctl asks, may not use {model}: it leaves the network",
            "set chat: true at it in cloud_models, or call the API with a key whose list names it",
            ExitCode.REFUSED,
        )
    if not settings.chat.enabled:
        raise OperatorError(f"{settings.name} has no chat, whose pod asks", "call the API with a key", ExitCode.REFUSED)
    if not settings.gateway.enabled:
        raise OperatorError(f"{settings.name} runs no LLM gateway, which is asked", "llmctl health", ExitCode.REFUSED)
    return found


def own(settings: Settings, model: str) -> ModelSettings:
    """Return an own model that the environment's chat can ask. Raises OperatorError."""
    found = askable(settings, model)
    if isinstance(found, CloudModelSettings):
        raise OperatorError(
            f"{model} is outside the network: no engine of {settings.name} starts for it, and no GPU is measured",
            f'llmctl models ask {model} "…" {settings.name} asks it',
            ExitCode.REFUSED,
        )
    return found


def fallback_of(
    cloud_models: tuple[CloudModelSettings, ...], model: ModelSettings, measured: Measured
) -> CloudModelSettings | None:
    """Return the model outside the network that answered for an own one, None where the own one did."""
    answered = measured.answered_by
    return next((each for each in cloud_models if answered == each.name == model.fallback), None)
