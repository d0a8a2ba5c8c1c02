"""The commands by themselves, with the component as their first argument, and below the noun of one component."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from .actions import restart, scale, shell, start, stop
from .views import follow, logs, show_events, status

COMMANDS: dict[str, Callable[..., None]] = {
    "status": status,
    "logs": logs,
    "follow": follow,
    "events": show_events,
    "restart": restart,
    "stop": stop,
    "start": start,
    "scale": scale,
    "shell": shell,
}


def single(name: str) -> typer.Typer:
    """Return the application of one command, whose first argument is the component."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name)(COMMANDS[name])
    return app


def add_operations(app: typer.Typer, word: str) -> None:
    """Add the commands for one component to its noun; one that the noun has of its own stays."""
    own = {command.name for command in app.registered_commands}
    for name, command in COMMANDS.items():
        if name not in own:
            app.command(name)(for_component(command, word))


def for_component(command: Callable[..., None], word: str) -> Callable[..., None]:
    """Return the command without its argument COMPONENT."""
    signature = inspect.signature(command)

    @wraps(command)
    def fixed(*given: Any, **named: Any) -> None:
        command(*given, component=word, **named)

    fixed.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[each for name, each in signature.parameters.items() if name != "component"]
    )
    fixed.__annotations__ = {key: value for key, value in command.__annotations__.items() if key != "component"}
    return fixed
