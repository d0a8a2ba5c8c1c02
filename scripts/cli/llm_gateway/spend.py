"""What was spent, by team, model, key, person or day."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, fields, replace
from datetime import UTC, date, timedelta
from typing import Annotated

import typer
from rich.table import Table

from scripts.applications.chat.accounts import accounts_of
from scripts.applications.llm_gateway.api import gateway_api
from scripts.applications.llm_gateway.spend import By, Spend, total
from scripts.applications.llm_gateway.spend import spend as spent
from scripts.cli.options import AsJson, Environment, seconds_of
from scripts.cli.tools import Tools, tools_of
from scripts.core.console import err, out, print_csv, print_json
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings

from .opened import opened


def spend(
    context: typer.Context,
    environment: Environment = None,
    *,
    by: Annotated[By, typer.Option(help="What the sums are of.")] = By.TEAM,
    since: Annotated[str, typer.Option(metavar="TIME", help="How far back, such as 7d.")] = "30d",
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day (UTC), such as 2026-11-01; wins over --since."),
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day (UTC); left out: today.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, for a spreadsheet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was spent over a period: dollars, requests and tokens of every team, model, key, person or day.

    Dollars are tokens at the prices of the environment file. People are counted where `gateway.spend_per_person` is on.

    Examples: `llmctl gateway spend prod --by model --since 7d`,
    `llmctl gateway spend prod --by person --from 2026-11-01 --to 2026-11-30 --csv`
    """
    start, end = _period(since, first, last, tools_of(context).now().astimezone(UTC).date())
    if as_csv and as_json:
        raise OperatorError("--csv and --json exclude each other", code=ExitCode.USAGE)
    settings, kubectl = opened(context, environment)
    if by is By.PERSON and not settings.gateway.spend_per_person:
        raise OperatorError(
            f"{settings.name} does not count what people spend",
            f"set gateway.spend_per_person in environments/{settings.name}.yaml and deploy platform",
            ExitCode.REFUSED,
        )
    with gateway_api(kubectl) as api:
        found = spent(api, by, start, end)
    if by is By.PERSON:
        known = _people(tools_of(context), settings)
        found = [replace(item, name=known.get(item.name, item.name)) for item in found]
    if as_csv:
        names = [field.name for field in fields(Spend)]
        print_csv([by.value, *names[1:]], [astuple(item) for item in found])
    elif as_json:
        print_json({"from": start, "to": end, "by": by.value, "spent": [asdict(item) for item in found]})
    else:
        _show(by, found, start, end)


def _period(since: str, first: str | None, last: str | None, today: date) -> tuple[date, date]:
    end = _day("--to", last) if last else today
    days = timedelta(seconds=seconds_of(since, "--since")) - timedelta(days=1)
    start = _day("--from", first) if first else end - days
    if start > end:
        raise OperatorError(f"{start} is after {end}", "give --from a day before --to", ExitCode.USAGE)
    return start, end


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{option}: {text!r} is no day", "write such as 2026-11-30", ExitCode.USAGE) from None


def _people(tools: Tools, settings: Settings) -> Mapping[str, str]:
    """Return addresses by the ids that the gateway counts; what the chat does not know keeps its id."""
    if not settings.chat.enabled:
        return {}
    try:
        return {
            person.id: person.email
            for person in accounts_of(settings.domain, tools.kubectl_of(settings.name), tools.in_pod).people()
        }
    except OperatorError as error:
        err.print(f"Ids instead of addresses: {error.message}", markup=False)
        return {}


def _show(by: By, found: Sequence[Spend], start: date, end: date) -> None:
    if not found:
        err.print(f"Nothing was asked from {start} to {end}.", markup=False)
        return
    table = Table(by.value, box=None, header_style="bold")
    for heading in ("USD", "requests", "failed", "tokens in", "tokens out"):
        table.add_column(heading, justify="right")
    for item in [*found, total(found)]:
        counts = (item.requests, item.failed, item.prompt_tokens, item.completion_tokens)
        table.add_row(item.name, f"{item.usd:.2f}", *(f"{count:,}" for count in counts))
    out.print(table)
    err.print(f"From {start} to {end} (UTC), counted by the LLM gateway up to about a minute ago.", markup=False)
