"""`llmctl opik mysql-shell|clickhouse-shell|redis-cli|minio-shell|minio-console`."""

from collections.abc import Callable

import typer

from scripts.cli.operations.opened import opened, selected
from scripts.cli.options import Environment, require_terminal
from scripts.cli.tools import tools_of
from scripts.cluster.workload import Workload
from scripts.core.console import out
from scripts.opik.clients import CLIENTS, CONSOLE


def client(command: str) -> Callable[..., None]:
    """Return the command that opens the client of a store inside its pod, logged in by the pod's own environment."""
    name, line = CLIENTS[command]

    def enter(context: typer.Context, environment: Environment = None) -> None:
        selected(context, "opik", environment, [name])
        require_terminal(tools_of(context).terminal)
        work = opened(context, "opik", environment, [name])
        (part,) = work.selection.parts
        workload = Workload(work.kubectl, part.namespace, part.workload, container=part.container)
        raise typer.Exit(workload.shell("sh", "-c", line))

    enter.__doc__ = f"""Open the client of {name} inside its pod; the login stays there.

    Examples: `llmctl opik {command}`, `llmctl opik {command} prod`
    """
    return enter


def minio_console() -> None:
    """Say what stands in for MinIO's console, which is off, and where its login is kept.

    Examples: `llmctl opik minio-console`, `llmctl opik minio-shell prod`
    """
    out.print(CONSOLE, markup=False, soft_wrap=True)
