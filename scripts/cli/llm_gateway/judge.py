"""The models of the LLM gateway, offered to Opik."""

import typer

from scripts.applications.llm_gateway.opik import PROVIDER, offer_to_opik
from scripts.cli.options import Environment
from scripts.core.console import err, out
from scripts.core.errors import ExitCode, OperatorError

from .opened import opened


def judge(context: typer.Context, environment: Environment = None) -> None:
    """Offer all models to Opik, for its playground and LLM-as-a-judge evaluations. Run it again after a change.

    Opik keeps a key of its own, encrypted, and calls the LLM gateway inside the cluster.

    Examples: `llmctl gateway judge prod`, `llmctl gateway judge dev`
    """
    settings, kubectl = opened(context, environment)
    if not settings.opik.enabled:
        raise OperatorError(f"{settings.name} runs no Opik", code=ExitCode.REFUSED)
    new = offer_to_opik(kubectl, [model.name for model in settings.models])
    out.print(f"Opik {'has' if new else 'has renewed'} the provider {PROVIDER}: {len(settings.models)} models")
    err.print(
        "An evaluation of every trace keeps a GPU awake; sample, or give the judge min_replicas: 1.", markup=False
    )
