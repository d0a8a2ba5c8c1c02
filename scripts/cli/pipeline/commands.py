"""`llmctl pipeline`: separate identities for planning, images and applying, in Azure and in the pipeline's system."""

from typing import Annotated, Any

import typer

from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.targets import complete_environment
from scripts.pipeline import records
from scripts.pipeline.steps import Step

from .arrangement import Arrangement, Options, SystemName, arrangement

app = typer.Typer(add_completion=False, rich_markup_mode="rich", no_args_is_help=True)


@app.callback()
def pipeline() -> None:
    """Identities of a pipeline: for plans, images, deployments and backup sets, each with the smallest rights."""


SystemArgument = Annotated[SystemName, typer.Argument(metavar="SYSTEM", help="github, azure-devops or gitlab.")]
EnvironmentArgument = Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)]
Repository = Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="Repository on GitHub.")]
Organization = Annotated[str | None, typer.Option(metavar="NAME", help="Organization of Azure DevOps.")]
Project = Annotated[
    str | None, typer.Option(metavar="NAME", help="Project of Azure DevOps, or GROUP/PROJECT of GitLab.")
]
Url = Annotated[str, typer.Option(help="Address of GitLab.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done and granted, and change nothing.")]
Agree = Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand.")]


@app.command()
def bootstrap(
    context: typer.Context,
    system: SystemArgument,
    environment: EnvironmentArgument,
    *,
    repository: Repository = None,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(metavar="LOGIN", help="Who approves plans and deployments on GitHub; repeatable."),
    ] = None,
    organization: Organization = None,
    project: Project = None,
    url: Url = "https://gitlab.com",
    dry_run: DryRun = False,
    yes: Agree = False,
    as_json: AsJson = False,
) -> None:
    """Create the identities of ENV's pipeline with their rights, and let the jobs of SYSTEM log in as them.

    One for backup sets belongs to them with `backups.scheduled`. Shows what is missing, differs or is too much, and
    asks, once. Running it again changes nothing. Uses your own `az`
    (roles: you need Owner, or Contributor and User Access Administrator), and `gh` or GITLAB_TOKEN.

    Examples: `llmctl pipeline bootstrap github prod --repository acme/llm-platform --dry-run`,
    `llmctl pipeline bootstrap azure-devops prod --organization acme --project llm`
    """
    tools = tools_of(context)
    options = Options(repository, tuple(reviewer or ()), organization, project, url)
    found = arrangement(tools.load(environment), system, options)
    carry_out(
        found, found.steps(), Consent(environment, yes, terminal=tools.terminal), dry_run=dry_run, as_json=as_json
    )


@app.command()
def remove(
    context: typer.Context,
    system: SystemArgument,
    environment: EnvironmentArgument,
    *,
    repository: Repository = None,
    organization: Organization = None,
    project: Project = None,
    url: Url = "https://gitlab.com",
    dry_run: DryRun = False,
    yes: Agree = False,
    as_json: AsJson = False,
) -> None:
    """Take the identities of ENV's pipeline away again: variables or connections, roles, identities.

    Examples: `llmctl pipeline remove github prod --repository acme/llm-platform --dry-run`,
    `llmctl pipeline remove gitlab prod --project acme/llm-platform --yes`
    """
    tools = tools_of(context)
    options = Options(repository, (), organization, project, url)
    found = arrangement(tools.load(environment), system, options, removal=True)
    steps = found.removal()
    consent = Consent(environment, yes, terminal=tools.terminal)
    carry_out(found, steps, consent, dry_run=dry_run, as_json=as_json, undo=True)


def carry_out(
    found: Arrangement, steps: list[Step], consent: Consent, *, dry_run: bool, as_json: bool, undo: bool = False
) -> None:
    """Show the steps, ask, and take them. Raises OperatorError."""
    # With JSON, standard output is the result alone.
    stream = err if as_json else out
    if not steps:
        stream.print("Everything is as it should be: nothing to do." if not undo else "Nothing is there.", markup=False)
    for step in steps:
        stream.print(f"  {step.text}", markup=False, soft_wrap=True)
    if steps and not dry_run:
        consent.obtain("Do this?", {})
        for number, step in enumerate(steps, 1):
            err.print(f"[{number}/{len(steps)}] {step.text}", markup=False, soft_wrap=True)
            step.act()
    by_hand = [] if undo else found.by_hand()
    for line in by_hand:
        stream.print(f"By hand: {line}.", markup=False, soft_wrap=True)
    if as_json:
        print_json(_as_json(found, steps, by_hand, done=not dry_run))


def _as_json(found: Arrangement, steps: list[Step], by_hand: list[str], *, done: bool) -> dict[str, Any]:
    azure = found.azure
    return {
        "environment": found.settings.name,
        "system": azure.place.system,
        "done": done,
        "steps": [step.text for step in steps],
        "by_hand": by_hand,
        "identities": {
            purpose: {
                "name": azure.place.identity(purpose),
                "client_id": principal.client_id,
                "object_id": principal.object_id,
            }
            for purpose, principal in azure.principals.items()
        },
    }


@app.command("move-records")
def move_records(
    context: typer.Context, environment: EnvironmentArgument, *, dry_run: DryRun = False, yes: Agree = False
) -> None:
    """Move Helm's records of ENV's releases to where `cluster.release_records` says, before the next deployment.

    Copies them, compares, then deletes the old ones. Releases and their objects are not touched. Safe to interrupt and
    to run again.

    Examples: `llmctl pipeline move-records prod --dry-run`, `llmctl pipeline move-records prod --yes`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    kubectl, target = tools.kubectl_of(environment), settings.cluster.release_records
    moves = records.to_move(kubectl, target)
    if not moves:
        out.print(f"All records are in {target}: nothing to do.", markup=False)
        return
    for move in moves:
        out.print(f"  {move.namespace}/{move.name} to {target}", markup=False)
    if dry_run:
        return
    Consent(environment, yes, terminal=tools.terminal).obtain(f"Move {len(moves)} records?", {})
    records.move(kubectl, moves, target)
    err.print(f"Moved. `llmctl diff {environment} platform` has to show no changes.", markup=False)
