"""A budget of one person in the chat."""

from typing import Annotated

import typer

from scripts.applications.chat.accounts import accounts_of
from scripts.applications.llm_gateway.api import gateway_api
from scripts.applications.llm_gateway.people import of_everybody, set_person
from scripts.cli.options import Environment, shown
from scripts.cli.tools import tools_of
from scripts.core.console import out
from scripts.core.errors import ExitCode, OperatorError

from .opened import BudgetUsd, Every, RequestsPerMinute, TokensPerMinute, limits, opened, require_duration

Person = Annotated[str, typer.Argument(metavar="ADDRESS", callback=shown, help="Mail address of the chat's account.")]


def person(
    context: typer.Context,
    address: Person,
    environment: Environment = None,
    *,
    budget_usd: BudgetUsd = None,
    every: Every = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
) -> None:
    """Give somebody in the chat another budget than `gateway.person_limits` gives everybody. Safe to repeat.

    A limit that is not given is everybody's. The LLM gateway keeps it by the account's id, without name or address.

    Examples: `llmctl gateway person mia@example.com prod --budget-usd 50 --every 30d`,
    `llmctl gateway person mia@example.com prod --budget-usd 5 --every 7d --requests-per-minute 10`
    """
    require_duration("--every", every)
    given = limits(budget_usd, every, requests_per_minute, tokens_per_minute, None)
    if not given:
        raise OperatorError("no limit is given", "name one, such as --budget-usd 10", ExitCode.USAGE)
    settings, kubectl = opened(context, environment)
    if settings.gateway.person_limits is None:
        raise OperatorError(
            f"{settings.name} limits nobody by person",
            f"set gateway.person_limits in environments/{settings.name}.yaml and deploy platform",
            ExitCode.REFUSED,
        )
    people = accounts_of(settings.domain, kubectl, tools_of(context).in_pod).people()
    found = next((each for each in people if each.email.lower() == address.lower()), None)
    if found is None:
        raise OperatorError(f"the chat has no account {address}", "llmctl webui users lists them", ExitCode.USAGE)
    with gateway_api(kubectl) as api:
        set_person(api, found.id, of_everybody(settings.gateway.person_limits) | given)
    out.print(f"{address}: changed", markup=False)
