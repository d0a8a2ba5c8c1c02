"""`llmctl gpu`: scale the engines to zero and keep them there, to free their GPU nodes."""

from dataclasses import asdict
from typing import Annotated

import typer

from scripts.applications.engine_scaling import EngineCluster, EngineState
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.console import err, out, print_json
from scripts.core.targets import default_environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Suspend the engines to free GPU nodes, and resume them.",
)

Engine = Annotated[
    list[str] | None, typer.Option("--engine", metavar="NAME", help="An engine; repeatable. Left out: all.")
]


@app.command("suspend")
def suspend(context: typer.Context, environment: Environment = None, *, engine: Engine = None) -> None:
    """Scale engines to zero and keep them there, whatever requests come.

    Answers in progress are cut off. The cluster autoscaler removes empty GPU nodes after about ten minutes.
    Requests are held as usual and get 503 after serving.hold_minutes. Deployments leave the engines suspended.

    Examples: `llmctl gpu suspend dev`, `llmctl gpu suspend prod --engine ollama`
    """
    name = environment or default_environment()
    for state in _scaling(context, name).suspend(engine or []):
        out.print(f"{state.name}: suspended", markup=False)
    err.print(f"`llmctl gpu resume {name}` lets them scale again.", markup=False)


@app.command("resume")
def resume(context: typer.Context, environment: Environment = None, *, engine: Engine = None) -> None:
    """Let suspended engines scale again; one that scales to zero starts with the next request.

    Examples: `llmctl gpu resume dev`, `llmctl gpu resume prod --engine ollama`
    """
    for state in _scaling(context, environment).resume(engine or []):
        out.print(f"{state.name}: {_range(state)}", markup=False)


@app.command("status")
def status(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show every engine's replicas, and whether it is suspended.

    Examples: `llmctl gpu status prod`, `llmctl gpu status --json`
    """
    states = _scaling(context, environment).states()
    if as_json:
        print_json([asdict(state) for state in states])
        return
    for state in states:
        what = "suspended" if state.suspended else _range(state)
        out.print(f"{state.name}: {state.ready} of {state.replicas} ready, {what}", markup=False)


def _range(state: EngineState) -> str:
    return f"scales from {state.least} to {state.most}"


def _scaling(context: typer.Context, environment: str | None) -> EngineCluster:
    tools, name = tools_of(context), environment or default_environment()
    tools.load(name)
    return EngineCluster(tools.kubectl_of(name))
