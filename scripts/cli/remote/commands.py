"""`llmctl remote`: runs in HCP Terraform or Terraform Enterprise."""

from collections.abc import Callable
from typing import Annotated

import typer
from pytfe import TFEConfig

from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import complete_environment, parse_targets
from scripts.hcp import azure_login
from scripts.hcp.arrange import Arrangement
from scripts.hcp.azure_login import AzureLogin
from scripts.hcp.client import configuration, connected
from scripts.hcp.desired import DesiredEnvironment, desired_environment
from scripts.pipeline.steps import Step
from scripts.terraform.synthesis import synthesize

app = typer.Typer(add_completion=False, rich_markup_mode="rich", no_args_is_help=True)


@app.callback()
def remote() -> None:
    """Prepare HCP Terraform or Terraform Enterprise for an environment."""


@app.command()
def bootstrap(
    context: typer.Context,
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", help="Environment to prepare for.", autocompletion=complete_environment),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is missing and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Create without asking.")] = False,
    with_azure: Annotated[
        bool,
        typer.Option(
            "--azure/--no-azure",
            help="Create federated credentials for the runs with your `az`, or print its commands.",
        ),
    ] = True,
) -> None:
    """Create what the `hcp` backend of ENV needs: project, workspaces, variables, run triggers, teams, credentials.

    Shows what is missing or differs and asks, once. Logs in as Terraform does (`terraform login`). Running it again
    changes nothing; nothing is ever removed.

    Examples: `llmctl remote bootstrap prod --dry-run`, `llmctl remote bootstrap prod --yes`
    """
    tools = tools_of(context)
    settings = tools.load(parse_targets([] if environment is None else [environment]).environment)
    if settings.state.hcp is None:
        raise OperatorError(
            f"{settings.name} keeps its state elsewhere ({settings.state.backend.value})",
            "set state.backend: hcp in its file",
            ExitCode.USAGE,
        )
    workspace = tools.workspace(settings.name)
    with err.status(f"Synthesizing {settings.name}"):
        synthesize(workspace, Processes())
    desired = desired_environment(settings, {name: stack.dependencies for name, stack in workspace.stacks().items()})
    arrange(desired, Consent(settings.name, yes, terminal=tools.terminal), dry_run=dry_run, with_azure=with_azure)


def arrange(
    desired: DesiredEnvironment,
    consent: Consent,
    *,
    dry_run: bool,
    with_azure: bool,
    login: AzureLogin | None = None,
    configure: Callable[[str], TFEConfig] | None = None,
) -> None:
    """Show the steps, ask, and take them. Raises OperatorError."""
    login = login or azure_login.azure_login(desired)
    by_hand = [] if with_azure else azure_login.commands(desired)
    with connected((configure or configuration)(desired.hostname), desired.organization) as client:
        with err.status(f"Looking at {desired.organization}"):
            # Identities first: the variables hold their ids.
            steps = list(login.steps()) if with_azure else []
            steps += Arrangement(client, desired, login.client_id).steps()
        _show(desired, steps)
        if steps and not dry_run:
            consent.obtain(f"Do this in {desired.organization}{' and in Azure' if with_azure else ''}?", {})
            for step in steps:
                err.print(step.text, markup=False, soft_wrap=True)
                step.act()
            err.print(f"{desired.organization} is ready for {consent.environment}.", markup=False)
    for command in by_hand:
        typer.echo(command)


def _show(desired: DesiredEnvironment, steps: list[Step]) -> None:
    where = f"{desired.organization} at {desired.hostname}"
    if not steps:
        out.print(f"{where} has everything: nothing to do.", markup=False)
        return
    out.print(f"To do in {where}:", markup=False)
    for step in steps:
        out.print(f"  {step.text}", markup=False, soft_wrap=True)
    if not desired.clients:
        out.print("No Azure login is arranged: state.hcp.azure is left out.", markup=False)
