"""The command: checks in parallel, findings with their fixes, an exit code for pipelines."""

from typing import Annotated

import typer

from scripts.cli.options import AsJson
from scripts.cli.tools import Tools, tools_of
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode
from scripts.core.targets import TARGETS_HELP, complete_targets, parse_targets
from scripts.core.tiers import STACKS
from scripts.deployment.first_deployment import checked
from scripts.preflight.findings import Outcome
from scripts.preflight.run import LOGIN, Report
from scripts.preflight.shown import as_json as document
from scripts.preflight.shown import lines, summary
from stacks.settings.azure import StateSettings

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def preflight(
    context: typer.Context,
    *,
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV] [STACK]...", help=TARGETS_HELP, autocompletion=complete_targets),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check what a deployment needs, before anything is created: login, permissions, quota, names, DNS, models.

    All checks run at once and read only. Each finding says what fails, why it matters and the command that fixes it.
    What this login may not read is "not checked" and no failure. Ends with 0 without failures, 5 where nobody is
    logged in, else 1. `llmctl deploy` runs it by itself before a first deployment.

    Examples: `llmctl preflight prod`, `llmctl preflight prod aks platform --json`
    """
    tools, chosen = tools_of(context), parse_targets(targets)
    settings = tools.load(chosen.environment)
    report = checked(
        tools.preflight, settings, chosen.select(STACKS), undeployed=_undeployed(settings.name, settings.state, tools)
    )
    if as_json:
        print_json(document(report))
    else:
        for line in lines(report):
            out.print(line, markup=False, soft_wrap=True)
        err.print(summary(report), markup=False)
    if report.failed:
        raise typer.Exit(_code(report))


def _undeployed(environment: str, state: StateSettings, tools: Tools) -> list[str]:
    """Return the stacks without a local state; none where the state is kept elsewhere."""
    if state.azurerm or state.hcp:
        return []
    folder = tools.workspace(environment).base / "state" / environment
    return [stack for stack in STACKS if not (folder / f"{stack}.tfstate").exists()]


def _code(report: Report) -> ExitCode:
    no_login = any(result.check.name == LOGIN for result in report.of(Outcome.FAILED))
    return ExitCode.NOT_READY if no_login else ExitCode.FAILED
