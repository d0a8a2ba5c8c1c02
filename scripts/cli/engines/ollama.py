"""`llmctl ollama`: the Ollama of every GPU pool."""

import typer

from stacks.platform.components.serving.engines import ollama_engines

from .shared import add_commands

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Ollama: status, logs, health, restart. Its models: llmctl models.",
)
add_commands(app, "Ollama", ollama_engines)
