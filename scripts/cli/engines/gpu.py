"""`llmctl gpu`: take the engines off the GPUs, and let them back."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.console import err, out, print_json
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from scripts.applications.engine_scaling import EngineCluster, EngineState

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Take the engines off the GPUs, and let them back.",
)

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
Engines = Annotated[
    list[str] | None, typer.Option("--engine", metavar="NAME", help="An engine; repeat for several. Left out: all.")
]


@app.command("suspend")
def suspend(environment: Environment = None, *, engine: Engines = None) -> None:
    """Take engines to zero and keep them there, whoever asks.

    Answers that are being written are cut off. The autoscaler takes empty GPU nodes away after some ten minutes.
    Requests are held as ever and get 503 after serving.hold_minutes. Deployments leave the engines suspended.
    """
    name = environment or default_environment()
    states = _cluster(name).suspend(engine or [])
    for state in states:
        out.print(f"{state.name}: suspended", markup=False)
    err.print(f"`llmctl gpu resume {name}` lets them scale again.", markup=False)


@app.command("resume")
def resume(environment: Environment = None, *, engine: Engines = None) -> None:
    """Let suspended engines scale again; one that may be at zero starts with the next request."""
    for state in _cluster(environment or default_environment()).resume(engine or []):
        out.print(f"{state.name}: {_range(state)}", markup=False)


@app.command("status")
def status(
    environment: Environment = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the engines as JSON.")] = False,
) -> None:
    """Show every engine's replicas, and whether it is suspended."""
    states = _cluster(environment or default_environment()).states()
    if as_json:
        print_json([asdict(state) for state in states])
        return
    for state in states:
        what = "suspended" if state.suspended else _range(state)
        out.print(f"{state.name}: {state.ready} of {state.replicas} ready, {what}", markup=False)


def _range(state: "EngineState") -> str:
    return f"scales from {state.least} to {state.most}"


def _cluster(environment: str) -> "EngineCluster":
    from scripts.applications.engine_scaling import EngineCluster  # noqa: PLC0415 - pydantic costs 0.2 s
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    load_environment(environment)
    return EngineCluster(kubectl_of(environment))
