"""`llmctl adopt keys`: keys, teams and budgets of another LiteLLM."""

from typing import Annotated

import typer

from scripts.applications.adoption.copying import Copying, Report
from scripts.applications.adoption.source import Place
from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.cluster.pod_program import in_gateway
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.enabled import enabled_components

from .options import Confirm, DryRun, Env, agree, show_counts, show_taken


def keys(
    context: typer.Context,
    environment: Env,
    *,
    source: Annotated[
        str,
        typer.Option("--from", metavar="SOURCE", help="env:VARIABLE or file:PATH that hold the PostgreSQL address."),
    ],
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Take over keys, teams, users and budgets of another LiteLLM: clients go on with the keys that they have.

    LiteLLM keeps a key's SHA-256 without a salt, so the copied row opens what the key opened. What it encrypts with its
    salt key (credentials, models, callbacks) stays behind, and nobody becomes an administrator. No key is ever shown.

    Examples: `llmctl adopt keys prod --from env:OLD_LITELLM --dry-run`,
    `llmctl adopt keys prod --from file:old-litellm.url --confirm prod --json`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    if not settings.gateway.enabled:
        raise OperatorError(f"{environment} has no LLM gateway", "set gateway.enabled and deploy", ExitCode.REFUSED)
    place = Place.of(source)
    if place.kind == "sqlite":
        raise OperatorError("LiteLLM keeps its keys in PostgreSQL", "write env:VARIABLE or file:PATH", ExitCode.USAGE)
    run = in_gateway(tools.kubectl_of(environment))
    own = [caller.key_name for caller in enabled_components(settings).gateway_callers()]
    with place.open() as opened:
        copying = Copying(opened, "keys", run, {"own": own})
        report: Report = {"environment": environment, "action": "look", "source": copying.counts()}
        report |= {
            "here": copying.look()["there"],
            "models_unknown": unknown_models(copying, settings_models(settings)),
        }
        if not dry_run:
            _show(report, to_err=True)
            agree(
                tools,
                environment,
                confirm,
                f"{sum(report['source'].values())} rows are written into the LLM gateway of {environment}",
            )
            with err.status("Taking over"):
                report |= {"action": "take", **copying.take(lambda _table, _rows: None)}
    if as_json:
        print_json(report)
    else:
        _show(report)


def settings_models(settings: object) -> set[str]:
    """Return the names under which the environment serves models."""
    return {model.name for model in getattr(settings, "models", ())}


def unknown_models(copying: Copying, served: set[str]) -> list[str]:
    """Return models that keys or teams of the source name, and that the environment does not serve."""
    named: set[str] = set()
    for table in ("LiteLLM_VerificationToken", "LiteLLM_TeamTable"):
        if "models" in copying.tables.get(table, ()):
            for (text,) in copying.source.rows(table, ["models"]):
                named |= {name.strip('"') for name in str(text or "{}").strip("{}").split(",") if name}
    return sorted(
        name for name in named - served if name not in ("all-team-models", "all-proxy-models", "no-default-models")
    )


def _show(report: Report, *, to_err: bool = False) -> None:
    if "tables" in report:
        show_taken(report["tables"])
    else:
        show_counts(report["source"], report["here"], to_err=to_err)
    for name in report["models_unknown"]:
        (err if to_err else out).print(
            f"keys or teams name the model {name}, which this environment does not serve", markup=False
        )
