"""The command and its screen."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.console import out, print_json
from scripts.core.targets import default_environment
from scripts.deployment.upgrades.coming import Upgrade, coming
from scripts.deployment.upgrades.lifetimes import OLD, Lifetimes, lifetimes
from scripts.terraform.deployed.versions import versions_of

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def upgrades(
    context: typer.Context,
    environment: Environment = None,
    *,
    within: Annotated[
        int | None, typer.Option(min=1, max=3650, metavar="DAYS", help="Leave out what ends later than in DAYS days.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the upgrades that an environment has before it: until when, why, what to back up and the commands.

    Compares what is deployed, as the states say, with the dated list of this release (Kubernetes, PostgreSQL, VM sizes)
    and with the versions that this checkout pins (chat, LLM gateway, Opik, engines). Changes nothing, asks nobody else.

    Examples: `llmctl upgrades prod`, `llmctl upgrades prod --within 90`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings, known, today = tools.load(name), lifetimes(), tools.now().date()
    deployed = versions_of(tools.states_of(settings, tools.workspace(name)))
    found = [one for one in coming(settings, deployed, known) if within is None or _within(one, today, within)]
    if as_json:
        print_json({"environment": name, "dates_of": known.renewed, "upgrades": [asdict(one) for one in found]})
        return
    if not deployed.writes:
        out.print(f"{name} is not deployed; this is what its file asks for.", markup=False)
    for line in _screen(found, known, today):
        out.print(line, markup=False, soft_wrap=True)


def _within(upgrade: Upgrade, today: date, days: int) -> bool:
    return upgrade.by is None or (upgrade.by - today).days <= days


def _screen(found: Sequence[Upgrade], known: Lifetimes, today: date) -> Iterator[str]:
    for one in found:
        yield f"{one.what}: {_when(one.by, today)}"
        yield f"  {one.why}"
        yield from (f"    {number}. {step}" for number, step in enumerate(one.steps, 1))
    if not found:
        yield "Nothing to upgrade."
    old = "; it is old: take a newer release" if today - known.renewed > OLD else ""
    yield f"Days are those of {known.renewed:%Y-%m-%d}{old}."


def _when(by: date | None, today: date) -> str:
    if by is None:
        return "can be upgraded"
    left = (by - today).days
    if left < 0:
        return f"ended on {by:%Y-%m-%d}"
    return f"until {by:%Y-%m-%d}, {f'{left} days' if left < 90 else f'{left // 30} months'} left"
