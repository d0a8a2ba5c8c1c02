"""Completions that need to know something: parts of a component, models, pods. They answer soon or not at all."""

import contextlib
from collections.abc import Callable, Iterable

import typer

from scripts.cluster.client import connect
from scripts.cluster.parts import Selection, select
from scripts.cluster.remembered import remembered
from scripts.core.errors import OperatorError
from scripts.core.targets import default_environment, load_environment
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

PODS_S = 1.0
"""Longest time that a completion waits for the cluster."""
_NOUNS = {"webui": "chat"}


def complete_part(context: typer.Context, incomplete: str) -> list[str]:
    """Return the parts of the component that the command line has named so far."""
    return _found(incomplete, lambda: (part.name for part in _selected(context).parts))


def complete_pod(context: typer.Context, incomplete: str) -> list[str]:
    """Return the pods of that component, where the cluster was reached before from this machine."""

    def names() -> Iterable[str]:
        cluster = remembered(_environment(context))
        if not cluster:
            return []
        api = connect(cluster, timeout_s=PODS_S)
        spaces = _selected(context).namespaces
        return (pod["metadata"]["name"] for space in spaces for pod in api.items("pods", space))

    return _found(incomplete, names)


def complete_model(context: typer.Context, incomplete: str) -> list[str]:
    """Return the models of the environment."""

    def names() -> Iterable[str]:
        settings = load_environment(_environment(context))
        return (*(model.name for model in settings.models), *(model.name for model in settings.cloud_models))

    return _found(incomplete, names)


def complete_database(context: typer.Context, incomplete: str) -> list[str]:
    """Return the databases of the environment."""
    return _found(incomplete, lambda: databases_of(load_environment(_environment(context))))


def databases_of(settings: Settings) -> list[str]:
    """Return the databases of the applications that are on, the chat's first."""
    enabled = enabled_components(settings)
    ordered = sorted(enabled.components, key=lambda component: component.name != "chat")
    return [database.name for component in ordered for database in component.databases]


def _found(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    # A completion that fails must not print into the line that somebody types.
    with contextlib.suppress(OperatorError, OSError, ValueError):
        return [name for name in names() if name.startswith(incomplete)]
    return []


def _selected(context: typer.Context) -> Selection:
    noun = context.parent.info_name if context.parent and context.parent.info_name else ""
    word = context.params.get("component") or _NOUNS.get(noun, noun)
    return select(load_environment(_environment(context)), word)


def _environment(context: typer.Context) -> str:
    return context.params.get("environment") or default_environment()
