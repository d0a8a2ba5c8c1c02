"""`llmctl opik retention`: how long traces are kept."""

from typing import Annotated

import typer

from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import out
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.opik.cluster import FRONTEND, NAMESPACE
from scripts.opik.retention import FOR_EVER, active_period, period, set_period


def retention(
    context: typer.Context,
    environment: Environment = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to traces being deleted.")] = False,
) -> None:
    """Make Opik keep traces as long as `opik.retention_days` says, those that are there already too.

    Deploy `platform` before: its backend deletes only where the setting is.

    Examples: `llmctl opik retention prod`, `llmctl opik retention dev --yes`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    if not settings.opik.enabled:
        raise OperatorError(f"{name} runs no Opik", code=ExitCode.REFUSED)
    days = settings.opik.retention_days
    with tools.kubectl_of(name).forwarded(NAMESPACE, *FRONTEND) as base:
        now = active_period(base)
        if now == period(days):
            out.print(f"Traces are kept {_said(days)} already.")
            return
        if period(days) != FOR_EVER:
            question = f"Traces that are older than {days} days are deleted, in all projects. Go on?"
            Consent(name, yes=yes, terminal=tools.terminal).obtain(question, {})
        set_period(base, days)
    out.print(f"Traces are kept {_said(days)} from now on; it was {now}.", markup=False)


def _said(days: int | None) -> str:
    return "for ever" if days is None else f"for {days} days"
