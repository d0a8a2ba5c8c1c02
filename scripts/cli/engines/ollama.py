"""`llmctl ollama`: the Ollama of every GPU pool."""

from typing import TYPE_CHECKING

import typer

from .shared import add_commands

if TYPE_CHECKING:
    from stacks.platform.components.serving.engines import ServingEngine
    from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Look at Ollama, read its log, restart it. Its models: llmctl models.",
)


def _engines(settings: "Settings") -> "tuple[ServingEngine, ...]":
    from stacks.platform.components.serving.engines import ollama_engines  # noqa: PLC0415 - pydantic costs 0.2 s

    return ollama_engines(settings)


add_commands(app, "Ollama", _engines)
