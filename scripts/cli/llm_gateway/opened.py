"""What the commands of the LLM gateway have in common: its cluster, and words that they check before they ask it."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from scripts.cli.options import shown
from scripts.cli.tools import tools_of
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings
from stacks.settings.models import ModelSettings

DURATION = r"[1-9]\d{0,3}(s|m|h|d|mo)"


def shown_if_given(name: str | None) -> str | None:
    """Refuse such a name in an option."""
    return None if name is None else shown(name)


Team = Annotated[str, typer.Argument(metavar="TEAM", callback=shown, help="Name of the team, which is also its id.")]
Alias = Annotated[str, typer.Argument(metavar="ALIAS", callback=shown, help="Name of the key, such as reports-app.")]
BudgetUsd = Annotated[float | None, typer.Option(min=0, help="Budget in US dollars; beyond it requests get 429.")]
Every = Annotated[str | None, typer.Option(help="When the budget resets, such as 30d or 1mo.")]
RequestsPerMinute = Annotated[int | None, typer.Option(min=1, help="Rate limit; beyond it requests get 429.")]
TokensPerMinute = Annotated[int | None, typer.Option(min=1, help="Rate limit; beyond it requests get 429.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME", help="Allowed model; repeatable. Left out: unchanged.")
]


def opened(context: typer.Context, environment: str | None) -> tuple[Settings, Kubectl]:
    """Return an environment's settings and cluster. Raises OperatorError where it runs no LLM gateway."""
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    if not settings.gateway.enabled:
        raise OperatorError(f"{name} runs no LLM gateway: gateway.enabled is false", code=ExitCode.REFUSED)
    return settings, tools.kubectl_of(name)


def require_duration(option: str, text: str | None) -> None:
    """Raise OperatorError for what LiteLLM would not take as a time."""
    if text is not None and not re.fullmatch(DURATION, text):
        raise OperatorError(f"{option}: {text!r} is no time such as 30d", "units are s, m, h, d, mo", ExitCode.USAGE)


def require_models(models: tuple[ModelSettings, ...], named: Sequence[str]) -> None:
    """Raise OperatorError for models that the environment does not have."""
    known = [listed.name for listed in models]
    if unknown := sorted(set(named) - set(known)):
        raise OperatorError(
            f"no such model: {', '.join(unknown)}", f"the models are {', '.join(known)}", ExitCode.USAGE
        )


def refuse_own(settings: Settings, alias: str) -> None:
    """Raise OperatorError for a key of the platform's own callers, which the vault holds."""
    own = {caller.key_name: caller.secret for caller in enabled_components(settings).gateway_callers()}
    if alias in own:
        raise OperatorError(
            f"{alias} is a key of the platform's own",
            f"raise secrets.versions.{own[alias].value} and deploy database and platform",
            ExitCode.REFUSED,
        )


def limits(
    budget_usd: float | None,
    every: str | None,
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    model: Sequence[str] | None,
) -> dict[str, object]:
    """Return the limits that are given, by LiteLLM's names."""
    given = {
        "max_budget": budget_usd,
        "budget_duration": every,
        "rpm_limit": requests_per_minute,
        "tpm_limit": tokens_per_minute,
        "models": list(model) if model else None,
    }
    return {key: value for key, value in given.items() if value is not None}
