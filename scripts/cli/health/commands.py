"""`llmctl health`: an end-to-end check, from the login to the trace of one answered question."""

from dataclasses import asdict
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import Tools, tools_of
from scripts.core.console import print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.settings import Settings

from .path import parts
from .rehearsed import parts as rehearsed_parts
from .steps import Part, go, print_verdict, show

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def health(
    context: typer.Context,
    environment: Environment = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model to ask; left out: the first.")
    ] = None,
    rehearsed: Annotated[
        bool, typer.Option("--rehearsed", help="Check the last rehearsal instead, and say what is fake there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the platform end to end: login, chat, LLM gateway, engine, trace.

    Checks that people may log in (admin consent) and that the chat is healthy, then sends one short question from the
    chat's own pod with the chat's own key through LLM gateway and engine, and finds its trace in Opik.
    A model that is scaled to zero is started by the question, which takes minutes and, for that long, a GPU node.

    Exit code 0 when everything answered, 1 when something did not, 5 when this machine cannot reach the platform.

    Examples: `llmctl health prod`, `llmctl health --rehearsed`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    if model and model not in [listed.name for listed in settings.models]:
        known = ", ".join(listed.name for listed in settings.models)
        raise OperatorError(f"no such model: {model}", f"the models are {known}", ExitCode.USAGE)
    steps = []
    for step in go(_parts(settings, model, tools, rehearsed=rehearsed)):
        steps.append(step)
        if not as_json:
            show(step)
    ok = not any(step.problem for step in steps)
    if as_json:
        print_json({"environment": name, "ok": ok, "rehearsed": rehearsed, "steps": [asdict(step) for step in steps]})
    else:
        print_verdict(name, steps)
    if not ok:
        raise typer.Exit(ExitCode.FAILED)


def _parts(settings: Settings, model: str | None, tools: Tools, *, rehearsed: bool) -> list[Part]:
    return rehearsed_parts(settings) if rehearsed else parts(settings, model, tools)
