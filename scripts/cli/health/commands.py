"""`llmctl health`: the whole path once, from the login to the trace of one answered question."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.console import err, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from stacks.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@dataclass(frozen=True)
class Step:
    """One part of the path."""

    name: str
    problem: str = ""
    """What is wrong, empty when nothing is."""
    detail: str = ""
    """What was seen, for people."""
    fix: str = ""
    """What to do about the problem."""
    seconds: float = 0.0
    fake: bool = False
    """Whether nothing real was asked."""


Part = tuple[str, Callable[[], Step]]
"""What is looked at, and how."""


@app.command()
def health(
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
    ] = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Ask this model; left out: the first.")
    ] = None,
    rehearsed: Annotated[
        bool, typer.Option("--rehearsed", help="Look at the last rehearsal instead; says what is fake there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Go through the whole path once: login, chat, gateway, engine, trace.

    Looks whether people may log in (an administrator's consent), asks the chat how it is, then sends one short
    question from the chat's own pod with the chat's own key through gateway and engine, and finds its trace in Opik.
    A model that sleeps is started by the question, which takes minutes and, for that long, a GPU.

    Exit code 0 when everything answered, 1 when something did not, 5 when this machine cannot ask.
    """
    name = environment or default_environment()
    settings = load_environment(name)
    if model and model not in [listed.name for listed in settings.models]:
        known = ", ".join(listed.name for listed in settings.models)
        raise OperatorError(f"no such model: {model}", f"the models are {known}", ExitCode.USAGE)
    steps = []
    for step in go(_parts(settings, model, rehearsed=rehearsed)):
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


def _parts(settings: "Settings", model: str | None, *, rehearsed: bool) -> list[Part]:
    if rehearsed:
        from .rehearsed import parts as fake_parts  # noqa: PLC0415 - schemas take a while

        return fake_parts(settings)
    from .path import parts  # noqa: PLC0415 - pydantic costs 0.2 s

    return parts(settings, model)


def go(parts: list[Part]) -> Iterator[Step]:
    """Look at one part after the other; one that cannot be asked is a problem of its own, and the next still is."""
    for name, look in parts:
        started = time.monotonic()
        try:
            step = look()
        except OperatorError as error:
            step = Step(name, problem=error.message, fix=error.fix)
        yield Step(**{**asdict(step), "seconds": round(time.monotonic() - started, 1)})


def show(step: Step) -> None:
    """Print one step as it ends."""
    mark = "[red]✗[/]" if step.problem else "[yellow]~[/]" if step.fake else "[green]✓[/]"
    err.print(mark, end=" ")
    said = step.problem or step.detail
    err.print(f"{step.name}{f': {said}' if said else ''} ({step.seconds:.1f} s)", markup=False, soft_wrap=True)
    if step.problem and step.fix:
        err.print(f"  {step.fix}", markup=False, soft_wrap=True)


def print_verdict(environment: str, steps: list[Step]) -> None:
    """Print the last line."""
    wrong = [step.name for step in steps if step.problem]
    if wrong:
        err.print(f"{environment}: something is wrong with {', '.join(wrong)}", style="red", markup=False)
    elif any(step.fake for step in steps):
        err.print(f"{environment} stands in the rehearsal. Nothing marked ~ is real: no pod runs there.", markup=False)
    else:
        err.print(f"{environment} answers, from the login to the trace.", style="green", markup=False)
