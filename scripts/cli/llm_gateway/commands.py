"""`llmctl gateway`: the LLM gateway's teams with budgets, their keys, and the models offered to Opik."""

import re
from typing import Annotated, Any

import typer

from scripts.applications.llm_gateway import PROVIDER, gateway_api, offer_to_opik
from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="LLM gateway: budgets and keys of teams, models offered to Opik.",
)


def _shown(name: str) -> str:
    """Refuse a team's name that nobody could see or type."""
    if not name.strip() or not name.isprintable() or name != name.strip():
        raise typer.BadParameter("must be a name in printable characters, without spaces around it")
    return name


Team = Annotated[str, typer.Argument(metavar="TEAM", callback=_shown, help="Name of the team, which is also its id.")]
DURATION = r"[1-9]\d{0,3}(s|m|h|d|mo)"


@app.command("teams")
def teams(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show every team: budget, spending, limits and models."""
    _, kubectl = _opened(context, environment)
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


@app.command("team")
def team(
    context: typer.Context,
    name: Team,
    environment: Environment = None,
    *,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="Budget in US dollars; beyond it requests get 429.")
    ] = None,
    every: Annotated[str | None, typer.Option(help="When the budget resets, such as 30d or 1mo.")] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Rate limit; beyond it requests get 429.")
    ] = None,
    tokens_per_minute: Annotated[
        int | None, typer.Option(min=1, help="Rate limit; beyond it requests get 429.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="Allowed model; repeatable. Left out: all.")
    ] = None,
) -> None:
    """Create a team, or change the given limits of one that exists. Safe to repeat.

    A budget counts the tokens of all its keys at the prices of the environment file (usd_per_million_tokens).
    """
    _require_duration("--every", every)
    settings, kubectl = _opened(context, environment)
    known = [listed.name for listed in settings.models]
    if unknown := sorted(set(model or []) - set(known)):
        raise OperatorError(
            f"no such model: {', '.join(unknown)}", f"the models are {', '.join(known)}", ExitCode.USAGE
        )
    given = {
        "max_budget": budget_usd,
        "budget_duration": every,
        "rpm_limit": requests_per_minute,
        "tpm_limit": tokens_per_minute,
        "models": model or None,
    }
    with gateway_api(kubectl) as api:
        new = api.set_team(name, {key: value for key, value in given.items() if value is not None})
    out.print(f"{name}: {'made' if new else 'changed'}", markup=False)


@app.command("keys")
def keys(
    context: typer.Context,
    environment: Environment = None,
    *,
    team: Annotated[str | None, typer.Option(metavar="TEAM", help="Keys of this team only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every key: alias, team, spending, expiry. A key's value is shown only once, when it is created."""
    _, kubectl = _opened(context, environment)
    with gateway_api(kubectl) as api:
        found = [
            {
                "alias": key.get("key_alias"),
                "team": key.get("team_id"),
                "spent_usd": key.get("spend") or 0.0,
                "expires": key.get("expires"),
            }
            for key in api.keys(team)
        ]
    if as_json:
        print_json(found)
        return
    for key in found:
        ends = key["expires"] or "never"
        out.print(
            f"{key['alias']}: team {key['team'] or 'none'}, {key['spent_usd']:.2f} USD, ends {ends}", markup=False
        )


@app.command("create-key")
def create_key(
    context: typer.Context,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Name of the key, such as reports-app.")],
    environment: Environment = None,
    *,
    team: Annotated[str, typer.Option(metavar="TEAM", help="Team whose budget it spends.")],
    expires: Annotated[str | None, typer.Option(help="Lifetime, such as 90d; left out: no expiry.")] = None,
) -> None:
    """Create a key for a program and print it, once, and nothing else. It can call models and nothing else."""
    _require_duration("--expires", expires)
    _, kubectl = _opened(context, environment)
    with gateway_api(kubectl) as api:
        typer.echo(api.create_key(alias, team, expires))


@app.command("revoke-key")
def revoke_key(
    context: typer.Context,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Name of the key.")],
    environment: Environment = None,
) -> None:
    """Revoke a key, at once."""
    settings, kubectl = _opened(context, environment)
    own = {caller.key_name: caller.secret for caller in enabled_components(settings).gateway_callers()}
    if alias in own:
        raise OperatorError(
            f"{alias} is a key of the platform's own",
            f"raise secrets.versions.{own[alias].value} and deploy database and platform",
            ExitCode.REFUSED,
        )
    with gateway_api(kubectl) as api:
        api.revoke_key(alias)
    out.print(f"{alias}: revoked", markup=False)


@app.command("judge")
def judge(context: typer.Context, environment: Environment = None) -> None:
    """Offer all models to Opik, for its playground and LLM-as-a-judge evaluations. Run it again after a change.

    Opik keeps a key of its own, encrypted, and calls the LLM gateway inside the cluster.
    """
    settings, kubectl = _opened(context, environment)
    if not settings.opik.enabled:
        raise OperatorError(f"{settings.name} runs no Opik", code=ExitCode.REFUSED)
    new = offer_to_opik(kubectl, [model.name for model in settings.models])
    out.print(f"Opik {'has' if new else 'has renewed'} the provider {PROVIDER}: {len(settings.models)} models")
    err.print(
        "An evaluation of every trace keeps a GPU awake; sample, or give the judge min_replicas: 1.", markup=False
    )


def _opened(context: typer.Context, environment: str | None) -> tuple[Settings, Kubectl]:
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    if not settings.gateway.enabled:
        raise OperatorError(f"{name} runs no LLM gateway: gateway.enabled is false", code=ExitCode.REFUSED)
    return settings, tools.kubectl_of(name)


def _require_duration(option: str, text: str | None) -> None:
    if text is not None and not re.fullmatch(DURATION, text):
        raise OperatorError(f"{option}: {text!r} is no time such as 30d", "units are s, m, h, d, mo", ExitCode.USAGE)


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
