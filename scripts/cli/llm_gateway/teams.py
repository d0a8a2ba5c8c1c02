"""Teams: budget, limits and models that all of a team's keys share."""

from typing import Annotated, Any

import typer

from scripts.applications.llm_gateway.api import gateway_api
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.core.consent import confirm_by_name
from scripts.core.console import out, print_json
from scripts.core.errors import ExitCode, OperatorError

from .opened import (
    BudgetUsd,
    Every,
    Models,
    RequestsPerMinute,
    Team,
    TokensPerMinute,
    limits,
    opened,
    require_duration,
    require_models,
)


def teams(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show every team: budget, spending, limits and models.

    Examples: `llmctl gateway teams prod`, `llmctl gateway teams dev --json`
    """
    _, kubectl = opened(context, environment)
    with gateway_api(kubectl) as api:
        found = [_team(team) for team in api.teams()]
    if as_json:
        print_json(found)
        return
    for team in found:
        budget = f"{team['budget_usd']:g} USD every {team['every'] or 'ever'}" if team["budget_usd"] else "no budget"
        limits = (
            f"{team['requests_per_minute'] or 'any'} requests and {team['tokens_per_minute'] or 'any'} tokens a minute"
        )
        models = ", ".join(team["models"]) or "all models"
        out.print(f"{team['name']}: {team['spent_usd']:.2f} USD spent, {budget}; {limits}; {models}", markup=False)


def team(
    context: typer.Context,
    name: Team,
    environment: Environment = None,
    *,
    budget_usd: BudgetUsd = None,
    every: Every = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    model: Models = None,
) -> None:
    """Create a team, or change the given limits of one that exists. Safe to repeat.

    A budget counts the tokens of all its keys at the prices of the environment file (usd_per_million_tokens).

    Examples: `llmctl gateway team research prod --budget-usd 50 --every 30d`,
    `llmctl gateway team research prod --model qwen3-32b`
    """
    require_duration("--every", every)
    settings, kubectl = opened(context, environment)
    require_models(settings.models, model or [])
    given = limits(budget_usd, every, requests_per_minute, tokens_per_minute, model)
    with gateway_api(kubectl) as api:
        new = api.set_team(name, given)
    out.print(f"{name}: {'made' if new else 'changed'}", markup=False)


def remove_team(
    context: typer.Context,
    name: Team,
    environment: Environment = None,
    *,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="TEAM", help="Agree beforehand, by the name once more.")
    ] = None,
) -> None:
    """Remove a team, with its budget and all of its keys; what it has spent stays in `llmctl gateway spend`.

    Examples: `llmctl gateway remove-team trial prod`, `llmctl gateway remove-team trial dev --confirm trial`
    """
    _, kubectl = opened(context, environment)
    with gateway_api(kubectl) as api:
        if not any(known["team_id"] == name for known in api.teams()):
            raise OperatorError(f"no such team: {name}", "llmctl gateway teams lists them", ExitCode.USAGE)
        keys = sorted(str(key.get("key_alias")) for key in api.keys(name))
        confirm_by_name(
            name,
            confirm,
            f"{name} and {_counted(keys)} stop working at once.",
            done="removed",
            terminal=tools_of(context).terminal,
        )
        api.remove_team(name)
    out.print(f"{name}: removed, with {_counted(keys)}", markup=False)


def _counted(keys: list[str]) -> str:
    return f"the keys {', '.join(keys)}" if keys else "no key"


def _team(team: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": team.get("team_alias") or team["team_id"],
        "budget_usd": team.get("max_budget"),
        "every": team.get("budget_duration"),
        "spent_usd": team.get("spend") or 0.0,
        "requests_per_minute": team.get("rpm_limit"),
        "tokens_per_minute": team.get("tpm_limit"),
        "models": team.get("models") or [],
    }
