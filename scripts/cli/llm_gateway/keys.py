"""Keys of programs: who has one, when it was used last, what it may do, and how it is replaced or revoked."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from scripts.applications.llm_gateway.api import gateway_api
from scripts.applications.llm_gateway.rotation import rotate
from scripts.cli.options import AsJson, Environment, seconds_of
from scripts.cli.tools import tools_of
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError

from .opened import (
    Alias,
    BudgetUsd,
    Every,
    Models,
    RequestsPerMinute,
    TokensPerMinute,
    limits,
    opened,
    refuse_own,
    require_duration,
    require_models,
)


def keys(
    context: typer.Context,
    environment: Environment = None,
    *,
    team: Annotated[str | None, typer.Option(metavar="TEAM", help="Keys of this team only.")] = None,
    unused_for: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only keys that nobody has used for so long, such as 90d.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every key: alias, team, spending, budget, last use, expiry. A key's value is shown only when it is made.

    Examples: `llmctl gateway keys prod --team research`, `llmctl gateway keys prod --unused-for 90d --json`
    """
    idle = timedelta(seconds=seconds_of(unused_for or "", "--unused-for"))
    _, kubectl = opened(context, environment)
    with gateway_api(kubectl) as api:
        found = [_shown(key) for key in api.keys(team)]
    now = tools_of(context).now()
    if idle:
        found = [key for key in found if _unused(key, now - idle)]
    if as_json:
        print_json(found)
        return
    for key in found:
        out.print(_line(key, now), markup=False)
    if not found:
        err.print("No key." if not idle else f"Every key was used within {unused_for}.", markup=False)


def create_key(
    context: typer.Context,
    alias: Alias,
    environment: Environment = None,
    *,
    team: Annotated[str, typer.Option(metavar="TEAM", help="Team whose budget it spends.")],
    expires: Annotated[str | None, typer.Option(help="Lifetime, such as 90d; left out: no expiry.")] = None,
) -> None:
    """Create a key for a program and print it, once, and nothing else. It can call models and nothing else.

    Examples: `llmctl gateway create-key reports-app prod --team research`,
    `llmctl gateway create-key trial prod --team research --expires 7d`
    """
    require_duration("--expires", expires)
    _, kubectl = opened(context, environment)
    with gateway_api(kubectl) as api:
        typer.echo(api.create_key(alias, team, expires))


def key(
    context: typer.Context,
    alias: Alias,
    environment: Environment = None,
    *,
    budget_usd: BudgetUsd = None,
    every: Every = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    model: Models = None,
) -> None:
    """Give a key a budget and limits of its own, within those of its team. Safe to repeat.

    Examples: `llmctl gateway key reports-app prod --budget-usd 10 --every 30d`,
    `llmctl gateway key reports-app prod --model qwen3-32b --requests-per-minute 20`
    """
    require_duration("--every", every)
    given = limits(budget_usd, every, requests_per_minute, tokens_per_minute, model)
    if not given:
        raise OperatorError("no limit is given", "name one, such as --budget-usd 10", ExitCode.USAGE)
    settings, kubectl = opened(context, environment)
    require_models(settings.models, model or [])
    refuse_own(settings, alias)
    with gateway_api(kubectl) as api:
        api.set_key(alias, given)
    out.print(f"{alias}: changed", markup=False)


def rotate_key(
    context: typer.Context,
    alias: Alias,
    environment: Environment = None,
    *,
    grace: Annotated[str, typer.Option(help="How long the old key works on; 0 ends it at once.")] = "24h",
) -> None:
    """Replace a key by a new one with its name, team, limits and spending; print the new one, once, and nothing else.

    Examples: `llmctl gateway rotate-key reports-app prod`, `llmctl gateway rotate-key leaked-app prod --grace 0`
    """
    longer = None if grace == "0" else grace
    require_duration("--grace", longer)
    settings, kubectl = opened(context, environment)
    refuse_own(settings, alias)
    with gateway_api(kubectl) as api:
        new, aside = rotate(api, alias, grace=longer, now=tools_of(context).now())
    typer.echo(new)
    if aside:
        err.print(f"The old key works for {grace} more, as {aside}; `llmctl gateway revoke-key` ends it.", markup=False)


def revoke_key(context: typer.Context, alias: Alias, environment: Environment = None) -> None:
    """Revoke a key, at once.

    Examples: `llmctl gateway revoke-key reports-app prod`, `llmctl gateway revoke-key trial dev`
    """
    settings, kubectl = opened(context, environment)
    refuse_own(settings, alias)
    with gateway_api(kubectl) as api:
        api.revoke_key(alias)
    out.print(f"{alias}: revoked", markup=False)


def _shown(key: dict[str, Any]) -> dict[str, Any]:
    return {
        "alias": key.get("key_alias"),
        "team": key.get("team_id"),
        "spent_usd": key.get("spend") or 0.0,
        "budget_usd": key.get("max_budget"),
        "every": key.get("budget_duration"),
        "models": key.get("models") or [],
        "blocked": bool(key.get("blocked")),
        "created": key.get("created_at"),
        "last_used": key.get("last_active"),
        "expires": key.get("expires"),
    }


def _unused(key: dict[str, Any], since: datetime) -> bool:
    last = key["last_used"] or key["created"]
    return last is None or _time(last) < since


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _line(key: dict[str, Any], now: datetime) -> str:
    budget = ""
    if key["budget_usd"]:
        budget = f" of {key['budget_usd']:g}" + (f" every {key['every']}" if key["every"] else "")
    used = f"used {_ago(key['last_used'], now)}" if key["last_used"] else "never used"
    words = [
        f"{key['alias']}: team {key['team'] or 'none'}",
        f"{key['spent_usd']:.2f}{budget} USD",
        used,
        f"ends {key['expires'] or 'never'}",
        *(["blocked"] if key["blocked"] else []),
    ]
    return ", ".join(words)


def _ago(text: str, now: datetime) -> str:
    days = (now - _time(text)) // timedelta(days=1)
    return "today" if days < 1 else f"{days} {'day' if days == 1 else 'days'} ago"
