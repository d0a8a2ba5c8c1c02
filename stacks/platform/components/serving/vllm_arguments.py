"""Arguments of `vllm serve` that one model's keys stand for: tools, thoughts, template, adapters, guessing, offload."""

import json
from collections.abc import Iterator

from stacks.settings.model_catalogue.parsers import reasoning_parser, tool_parser
from stacks.settings.models import ModelSettings, SpeculativeSettings

TEMPLATE_FOLDER = "/template"
"""Where the chart mounts a chat template of the environment file."""
TEMPLATE_FILE = "chat.jinja"


def further_weights(model: ModelSettings) -> tuple[tuple[str, str], ...]:
    """Repository and revision of all that an engine loads besides its model."""
    found = [(adapter.id, adapter.revision) for adapter in model.lora]
    if model.speculative and model.speculative.id and model.speculative.revision:
        found.append((model.speculative.id, model.speculative.revision))
    return tuple(dict.fromkeys(found))


def further_arguments(model: ModelSettings, *, weights_folder: str) -> tuple[str, ...]:
    """The arguments; `weights_folder` is the hub's cache, in which adapters lie by commit."""
    return tuple(_as_written(argument) for argument in _arguments(model, weights_folder))


def _as_written(argument: str) -> str:
    """Return `argument` so that Kubernetes, which puts variables in the place of `$(NAME)`, passes it unchanged.

    The container has the engine's key in a variable.
    """
    return argument.replace("$(", "$$(")


def _arguments(model: ModelSettings, weights_folder: str) -> Iterator[str]:
    if parser := tool_parser(model):
        yield "--enable-auto-tool-choice"
        yield f"--tool-call-parser={parser}"
    if thoughts := reasoning_parser(model):
        yield f"--reasoning-parser={thoughts}"
    if model.chat_template:
        yield f"--chat-template={TEMPLATE_FOLDER}/{TEMPLATE_FILE}"
    if model.lora:
        yield "--enable-lora"
        yield f"--max-loras={len(model.lora)}"
        yield f"--max-lora-rank={max(adapter.rank for adapter in model.lora)}"
        # Offline the hub's name alone would be looked for at `main`, which nobody downloaded.
        yield "--lora-modules"
        for adapter in model.lora:
            folder = f"models--{adapter.id.replace('/', '--')}/snapshots/{adapter.revision}"
            yield f"{adapter.name}={weights_folder}/hub/{folder}"
    if model.speculative:
        yield f"--speculative-config={json.dumps(_speculative(model.speculative))}"
    if model.kv_offload_gib:
        yield f"--kv-offloading-size={model.kv_offload_gib}"
    yield from model.extra_args


def _speculative(given: SpeculativeSettings) -> dict[str, str | int]:
    drafted = {"model": given.id, "revision": given.revision} if given.id and given.revision else {}
    return {"method": given.method, "num_speculative_tokens": given.tokens, **drafted}
