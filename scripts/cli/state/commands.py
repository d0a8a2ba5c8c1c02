"""`llmctl state`: where Terraform keeps its state."""

import shlex
import shutil
from typing import Annotated

import typer

from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core.azure import az_text
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.environment_lock import environment_lock
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, parse_targets
from scripts.core.workspace import CACHE
from scripts.terraform.adopting.adoption import as_json as as_json_of
from scripts.terraform.errors.failures import print_failures
from scripts.terraform.prepare import Job
from scripts.terraform.stack import TerraformError
from scripts.terraform.state.locked import not_unlocked
from stacks.settings.azure import StateSettings

from . import adopting, migration, releases
from .login import logged_in
from .storage import bootstrap_commands

app = typer.Typer(add_completion=False, rich_markup_mode="rich", no_args_is_help=True)


@app.callback()
def state() -> None:
    """Terraform state: create its storage, migrate it, break a stale lock, import what a lost one held."""


@app.command()
def bootstrap(
    context: typer.Context,
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", help="Environment whose state it is.", autocompletion=complete_environment),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands and run none.")] = False,
) -> None:
    """Create the storage account and container that the `azurerm` backend of ENV names, with your `az` login.

    The login may be a person's, a service principal's or a managed identity's; it may then read and write the state.
    Entra logins only, no account keys; versions and deleted blobs are kept for 30 days; a lock protects the account;
    reachable from the internet, from ip_ranges, or from one private network, as the environment file says.
    Running it again changes nothing.

    Examples: `llmctl state bootstrap prod --dry-run`, `llmctl state bootstrap prod`
    """
    settings = tools_of(context).load(parse_targets([] if environment is None else [environment]).environment)
    if settings.state.azurerm is None:
        out.print(_without_bootstrap(settings.name, settings.state))
        return
    if dry_run:
        for command in bootstrap_commands(settings, "$(az ad signed-in-user show --query id --output tsv)"):
            typer.echo(_shown(command))
        err.print(
            "For a service principal: --assignee-principal-type ServicePrincipal, and"
            " `az ad sp show --id APP_ID --query id --output tsv` in place of the signed-in user.",
            markup=False,
        )
        return
    if shutil.which("az") is None:
        raise OperatorError("no `az` on PATH", "install the Azure CLI, or take --dry-run's list", ExitCode.NOT_READY)
    operator, kind = logged_in()
    for command in bootstrap_commands(settings, operator, kind):
        typer.echo(_shown(command), err=True)
        az_text(*command[1:])
    err.print(f"Ready: `llmctl deploy {settings.name}` keeps its state there.", markup=False)


@app.command()
def migrate(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="HEAD:ENV, another REVISION:ENV, or a YAML file.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The environment, whose file names the new backend.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare both backends and copy nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand.")] = False,
) -> None:
    """Copy the state of every stack from the backend of FROM to the backend of TO.

    Change `state` in the environment file, leave it uncommitted, then `llmctl state migrate HEAD:prod prod`.

    Each state is read back and compared; the old ones stay where they are. Refuses where the new backend already
    holds something that would be lost, and where the subscription holds the resource group of a stack that has no state
    in either place. Safe to interrupt and to run again.

    Examples: `llmctl state migrate prod old-prod --dry-run`, `llmctl state migrate prod old-prod --yes`
    """
    migration.migrate(source, target, tools_of(context), dry_run=dry_run, yes=yes)


@app.command()
def unlock(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)],
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Stack whose state is locked.")],
    lock: Annotated[str, typer.Argument(metavar="LOCK", help="ID of the lock, as in the error message.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand: the run that held it has ended.")] = False,
) -> None:
    """Break the lock that a dead run left on the state of STACK (terraform force-unlock).

    Only when that run has really ended: otherwise two runs may write the same state.

    Examples: `llmctl state unlock prod platform 5b1f6c2e-0d6a-4f0e-9a51-3d1c8e2b7f40`,
    `llmctl state unlock prod aks 5b1f6c2e-0d6a-4f0e-9a51-3d1c8e2b7f40 --yes`
    """
    tools, chosen = tools_of(context), parse_targets([environment, stack])
    tools.load(chosen.environment)
    job = Job("state unlock", chosen, tools.workspace(chosen.environment), current=False)
    with tools.rollout(job) as run:
        Consent(chosen.environment, yes, terminal=tools.terminal).obtain(
            f"Has the run that holds {stack} really ended?", {}
        )
        try:
            run.runner(stack).unlock(lock)
        except TerraformError as error:
            print_failures([(run.runner(stack), error)], f"llmctl state unlock {chosen.environment} {stack} LOCK")
            fix = not_unlocked(error.output, str(run.stacks[stack].folder))
            raise OperatorError(f"{stack}: no lock was broken", fix) from None
    err.print(f"{stack} is free: `llmctl deploy {chosen.environment}`", markup=False)


@app.command("unlock-release")
def unlock_release(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)],
    release: Annotated[str, typer.Argument(metavar="[NAMESPACE/RELEASE]", help="Left out: all that are pending.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand: the run that held it has ended.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is pending, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Free Helm releases that a killed run has left pending (install, upgrade, rollback).

    Removes Helm's record of the revision that never ended, and nothing else in the cluster. The last deployed revision
    stays, and `llmctl deploy` goes on from it. Only when that run has really ended.

    Examples: `llmctl state unlock-release prod --dry-run`, `llmctl state unlock-release prod opik/opik`
    """
    tools = tools_of(context)
    name = tools.load(environment).name
    lock = tools.workspace(name).lock_name
    with environment_lock(CACHE / "locks", lock, "state unlock-release"):
        consent = Consent(name, yes, terminal=tools.terminal)
        found = releases.unlock(tools.kubectl_of(name), consent, release, dry_run=dry_run)
    if as_json:
        print_json({"environment": name, "releases": found, "dry_run": dry_run})
    elif not found:
        out.print(f"No release of {name} is pending.", markup=False)
    elif not dry_run:
        err.print(f"Free: `llmctl deploy {name}`", markup=False)


@app.command()
def adopt(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)],
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Stack whose state was lost, whole or in part.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to writing the state.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Import into a copy, show it, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring back the lost state of STACK: import what exists in Azure, Entra and the cluster.

    Imports into a copy first; ids follow from names, or are asked of Azure with your `az` login. Shows what was found,
    what cannot be imported and why, and what a deployment would do afterwards; asks, and writes the state in one go.
    Changes nothing but the state. Nothing is taken into it that a deployment would then destroy or replace. Safe to
    interrupt and to run again. Stacks that STACK reads come first: durable ones, network, aks, platform.

    Examples: `llmctl state adopt prod network --dry-run`, `llmctl state adopt prod network --yes`
    """
    tools, chosen = tools_of(context), parse_targets([environment, stack])
    settings = tools.load(chosen.environment)
    consent = Consent(settings.name, yes, terminal=tools.terminal)
    found = adopting.adopt(settings.name, settings.azure, stack, tools, consent, dry_run=dry_run)
    if as_json:
        print_json({"environment": settings.name, "stack": stack, "dry_run": dry_run, **as_json_of(found)})


def _without_bootstrap(environment: str, state: StateSettings) -> str:
    if state.hcp:
        return (
            f"{environment} keeps its state in HCP Terraform: run `terraform login {state.hcp.hostname}`, "
            f"then `llmctl remote bootstrap {environment}`."
        )
    return f"{environment} keeps its state in state/{environment}/ of this checkout: nothing to create."


def _shown(command: list[str]) -> str:
    # The placeholder of a dry run has to stay a substitution in the operator's shell.
    return " ".join(word if word.startswith("$(") else shlex.quote(word) for word in command)
