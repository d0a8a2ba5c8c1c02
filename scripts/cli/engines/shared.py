"""The commands that `llmctl ollama` and `llmctl vllm` share."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core import console
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from scripts.applications.engines import EngineOps
    from stacks.platform.components.serving.engines import ServingEngine
    from stacks.settings import Settings

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="Model or engine; may be left out where there is only one engine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Find = Callable[["Settings"], "tuple[ServingEngine, ...]"]
Open = Callable[[str | None], "tuple[Settings, tuple[ServingEngine, ...], EngineOps]"]


def add_commands(app: typer.Typer, what: str, find: Find) -> None:
    """Add the commands for the engines that `find` gives; `what` names them in messages."""

    def opened(environment: str | None) -> "tuple[Settings, tuple[ServingEngine, ...], EngineOps]":
        from scripts.applications.engines import EngineOps  # noqa: PLC0415 - pydantic costs 0.2 s
        from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

        name = environment or default_environment()
        settings = load_environment(name)
        engines = find(settings)
        if not engines:
            raise OperatorError(f"{name} serves no model by {what}", "llmctl models list", ExitCode.REFUSED)
        return settings, engines, EngineOps(kubectl_of(name))

    _add_views(app, opened)
    _add_actions(app, opened)


def _add_views(app: typer.Typer, opened: Open) -> None:
    @app.command("status")
    def status(environment: Environment = None, *, as_json: Json = False) -> None:
        """Show replicas, scaling and pods, and why a pod does not run."""
        _, engines, ops = opened(environment)
        states, pods = ops.states(engines), ops.pods(engines)
        if as_json:
            print_json({"engines": [asdict(state) for state in states], "pods": [asdict(pod) for pod in pods]})
            return
        for state in states:
            scaling = "suspended" if state.suspended else f"scales from {state.least} to {state.most}"
            out.print(f"{state.name}: {state.ready} of {state.replicas} ready, {scaling}", markup=False)
            for pod in pods:
                if pod.engine == state.name:
                    how = "ready" if pod.ready else pod.trouble or "not ready"
                    where = pod.node or "no node yet"
                    out.print(f"  {pod.name} on {where}: {how}, {pod.restarts} restarts", markup=False)

    @app.command("logs")
    def logs(
        environment: Environment = None,
        *,
        model: Model = None,
        lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end.")] = 100,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
        previous: Annotated[bool, typer.Option("--previous", help="Of the container before a crash.")] = False,
    ) -> None:
        """Print an engine's log."""
        from scripts.applications.engines import chosen  # noqa: PLC0415

        _, engines, ops = opened(environment)
        raise typer.Exit(ops.logs(chosen(engines, model), lines=lines, follow=follow, previous=previous))

    @app.command("health")
    def health(
        environment: Environment = None,
        *,
        model: Model = None,
        answer: Annotated[
            bool, typer.Option("--answer", help="Ask for an answer too; starts a GPU where the engine sleeps.")
        ] = False,
        as_json: Json = False,
    ) -> None:
        """Say whether engines work, without waking one. Exit code 1 when something does not."""
        from scripts.applications.engines import chosen  # noqa: PLC0415
        from scripts.applications.ingress import print_checks  # noqa: PLC0415

        settings, engines, ops = opened(environment)
        asked = [chosen(engines, model)] if model else engines
        checks = [check for engine in asked for check in ops.checks(settings, engine, answer=answer)]
        if as_json:
            print_json([asdict(check) for check in checks])
        else:
            print_checks(checks)
        if any(check.problem for check in checks):
            raise typer.Exit(ExitCode.FAILED)


def _add_actions(app: typer.Typer, opened: Open) -> None:
    @app.command("restart")
    def restart(environment: Environment = None, *, model: Model = None) -> None:
        """Replace an engine's pods and wait for the new ones. Answers that are being written are finished first.

        To stop and start, `llmctl gpu suspend` and `resume`: KEDA would undo a plain change of replicas.
        """
        from scripts.applications.engines import chosen  # noqa: PLC0415

        _, engines, ops = opened(environment)
        engine = chosen(engines, model)
        with err.status(f"Restarting {engine.name}"):
            done = ops.restart(engine)
        out.print(f"{engine.name}: {'restarted' if done else 'is at zero, nothing to restart'}", markup=False)

    @app.command("shell")
    def shell(environment: Environment = None, *, model: Model = None) -> None:
        """Open a shell in a pod of a running engine."""
        from scripts.applications.engines import chosen  # noqa: PLC0415

        if not console.interactive():
            raise OperatorError("a shell needs a terminal", code=ExitCode.REFUSED)
        _, engines, ops = opened(environment)
        raise typer.Exit(ops.shell(chosen(engines, model)))
