"""The commands that `llmctl ollama` and `llmctl vllm` share."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from scripts.applications.engines import Engines, chosen
from scripts.cli.checks import end_with
from scripts.cli.completing import complete_model
from scripts.cli.operations.nouns import add_operations
from scripts.cli.options import AsJson, Environment, require_terminal
from scripts.cli.tools import tools_of
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.components.serving.engines import ServingEngine
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.models import ModelSettings

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        autocompletion=complete_model,
        help="Model or engine; may be left out where there is only one engine.",
    ),
]
Find = Callable[[tuple[ModelSettings, ...], ClusterSettings], tuple[ServingEngine, ...]]
Open = Callable[[typer.Context, str | None, str | None], tuple[Settings, tuple[ServingEngine, ...], Engines]]


def add_commands(app: typer.Typer, what: str, find: Find) -> None:
    """Add the commands for the engines that `find` gives; `what` names them in messages."""

    def opened(
        context: typer.Context, environment: str | None, model: str | None
    ) -> tuple[Settings, tuple[ServingEngine, ...], Engines]:
        tools, name = tools_of(context), environment or default_environment()
        settings = tools.load(name)
        engines = find(settings.models, settings.cluster)
        if not engines:
            raise OperatorError(f"{name} serves no model by {what}", "llmctl models list", ExitCode.REFUSED)
        if model is not None:
            chosen(engines, model)  # before Terraform is asked where the cluster is
        return settings, engines, Engines(tools.kubectl_of(name))

    _add_views(app, opened)
    _add_actions(app, opened)
    add_operations(app, what.lower())


def _add_views(app: typer.Typer, opened: Open) -> None:
    @app.command("status")
    def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
        """Show replicas, scaling and pods, why a pod does not run, and why an engine that went to zero never ran.

        Examples: `llmctl vllm status prod`, `llmctl ollama status --json`
        """
        settings, engines, running = opened(context, environment, None)
        several = any(len(engine.pool_names) > 1 for engine in engines)
        later = running.later_pools(settings.serving.spill_over) if several else ""
        states, pods, failed = running.states(engines), running.pods(engines), running.last_starts(engines)
        if as_json:
            shown = {"engines": [asdict(state) for state in states], "pods": [asdict(pod) for pod in pods]}
            print_json(shown | {"last_starts": failed} | ({"later_pools": later} if later else {}))
            return
        for state in states:
            scaling = "suspended" if state.suspended else f"scales from {state.least} to {state.most}"
            out.print(f"{state.name}: {state.ready} of {state.replicas} ready, {scaling}", markup=False)
            for pod in pods:
                if pod.engine == state.name:
                    out.print(f"  {pod}", markup=False)
            if state.name in failed and not state.ready:
                out.print(f"  did not start: {failed[state.name]}", markup=False)
        if later:
            out.print(later, markup=False)

    @app.command("logs")
    def logs(
        context: typer.Context,
        environment: Environment = None,
        *,
        model: Model = None,
        lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end.")] = 100,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
        previous: Annotated[
            bool, typer.Option("--previous", help="Log of the container before its last restart.")
        ] = False,
    ) -> None:
        """Print an engine's log.

        Examples: `llmctl vllm logs prod --follow`, `llmctl ollama logs --lines 500`
        """
        _, engines, running = opened(context, environment, model)
        workload = running.workload(chosen(engines, model))
        raise typer.Exit(workload.logs(lines=lines, follow=follow, previous=previous))

    @app.command("health")
    def health(
        context: typer.Context,
        environment: Environment = None,
        *,
        model: Model = None,
        answer: Annotated[
            bool, typer.Option("--answer", help="Request an answer too; starts a GPU node where the engine is at zero.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Check the engines without starting one that is scaled to zero. Exit code 1 when something fails.

        Examples: `llmctl vllm health prod --answer`, `llmctl ollama health --json`
        """
        settings, engines, running = opened(context, environment, model)
        asked = [chosen(engines, model)] if model else engines
        checks = [check for engine in asked for check in running.checks(settings.serving, engine, answer=answer)]
        end_with(checks, [asdict(check) for check in checks], as_json=as_json)


def _add_actions(app: typer.Typer, opened: Open) -> None:
    @app.command("restart")
    def restart(context: typer.Context, environment: Environment = None, *, model: Model = None) -> None:
        """Replace an engine's pods and wait for the new ones. Answers in progress are finished first.

        To stop and start it, use `llmctl gpu suspend` and `resume`: KEDA would undo a plain change of replicas.

        Examples: `llmctl vllm restart prod --model qwen2-5-7b`, `llmctl ollama restart dev`
        """
        _, engines, running = opened(context, environment, model)
        engine = chosen(engines, model)
        with err.status(f"Restarting {engine.name}"):
            done = running.restart(engine)
        out.print(f"{engine.name}: {'restarted' if done else 'is at zero, nothing to restart'}", markup=False)

    @app.command("shell")
    def shell(context: typer.Context, environment: Environment = None, *, model: Model = None) -> None:
        """Open a shell in a pod of a running engine.

        Examples: `llmctl vllm shell prod --model qwen2-5-7b`, `llmctl ollama shell dev`
        """
        tools_of(context).load(environment or default_environment())
        require_terminal(tools_of(context).terminal)
        _, engines, running = opened(context, environment, model)
        raise typer.Exit(running.workload(chosen(engines, model)).shell())
