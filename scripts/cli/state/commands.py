"""`llmctl state`: where Terraform keeps its state."""

import base64
import json
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.environment_lock import claim
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.core.targets import complete_environment, load_environment, parse_targets
from scripts.core.tiers import STACKS
from scripts.core.workspace import CACHE, Workspace
from scripts.terraform.prepare import Job, require_terraform, rollout
from scripts.terraform.stack import TerraformError
from scripts.terraform.state_migration import Need, carry_out, plan_moves
from scripts.terraform.state_places import place, settings_of
from scripts.terraform.summary import print_failure

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from stacks.settings import Settings
    from stacks.settings.azure import AzurermStateSettings

app = typer.Typer(rich_markup_mode="rich", no_args_is_help=True)

_RETENTION_DAYS = 30


@app.callback()
def state() -> None:
    """Prepare where Terraform keeps its state."""


@app.command()
def bootstrap(
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", help="Environment whose state it is.", autocompletion=complete_environment),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands and run none.")] = False,
) -> None:
    """Create the storage account and container that the `azurerm` backend of ENV names, with your `az` login.

    A person's, a service principal's or a managed identity's; whoever it is may then read and write the state.
    Entra logins only, no account keys; versions and deleted blobs are kept for 30 days; a lock protects the account;
    open to the internet, to ip_ranges, or to one private network, as the environment file says.
    Running it again changes nothing.
    """
    settings = load_environment(parse_targets([environment] if environment else []).environment)
    if settings.state.azurerm is None:
        out.print(_without_bootstrap(settings))
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
    operator, kind = _operator()
    for command in bootstrap_commands(settings, operator, kind):
        typer.echo(_shown(command), err=True)
        _az(command)
    err.print(f"Ready: `llmctl deploy {settings.name}` keeps its state there.", markup=False)


@app.command()
def migrate(
    source: Annotated[str, typer.Argument(metavar="FROM", help="HEAD:ENV, another REVISION:ENV, or a YAML file.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The environment, whose file names the new place.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare both places and copy nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand.")] = False,
) -> None:
    """Copy the state of every stack from the place that FROM names to the one that TO names.

    Change `state` in the environment file, leave it uncommitted, then `llmctl state migrate HEAD:prod prod`.

    Each state is read back and compared; the old ones are left where they are. Refuses where the new place already
    holds something that would be lost. Safe to interrupt and to run again.
    """
    before, after = settings_of(source), settings_of(target)
    if (before.name, before.prefix) != (after.name, after.prefix):
        raise OperatorError(
            f"{source} is {before.prefix}-{before.name}, {target} is {after.prefix}-{after.name}",
            "name two versions of one environment's file",
            ExitCode.USAGE,
        )
    if before.state == after.state:
        raise OperatorError(
            f"{source} and {target} keep the state in one place ({after.state.backend.value})",
            f"change `state` in the file of {after.name} first; FROM names the version before that",
            ExitCode.USAGE,
        )
    workspace, processes, terraform = Workspace(after.name), Processes(), require_terraform()
    with claim(CACHE / "locks", workspace.lock_name, "state migrate"), processes.forwarding_signals():
        old = place(before, "from", workspace, terraform, processes)
        new = place(after, "to", workspace, terraform, processes)
        with err.status("Reading both places"):
            moves = plan_moves(old, new, STACKS)
        for move in moves:
            out.print(f"{move.stack}: {move.need.value}, {move.resources} resources", markup=False)
        if dry_run or not any(move.need is Need.COPY for move in moves):
            return
        Consent(after.name, yes).obtain(f"Copy them to {after.state.backend.value}?", {})
        for move in carry_out(moves, old, new):
            out.print(f"{move.stack}: {move.resources} resources arrived", markup=False)
    err.print(
        f"The old states are left as they are. `llmctl diff {after.name}` has to show no changes; then delete them.",
        markup=False,
    )


@app.command()
def unlock(
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete_environment)],
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Stack whose state is locked.")],
    lock: Annotated[str, typer.Argument(metavar="LOCK", help="Its ID, as the error shows it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="The run that held it is dead.")] = False,
) -> None:
    """Break the lock that a dead run left on the state of STACK.

    Only when that run is really dead: breaking the lock of a living one lets two runs write one state.
    """
    chosen = parse_targets([environment, stack])
    load_environment(chosen.environment)
    with rollout(Job("state unlock", chosen, Workspace(chosen.environment))) as run:
        Consent(chosen.environment, yes).obtain(f"Is the run that holds {stack} really dead?", {})
        try:
            run.runner(stack).unlock(lock)
        except TerraformError as error:
            print_failure(run.runner(stack), error, f"llmctl state unlock {chosen.environment} {stack} LOCK")
            raise OperatorError(f"{stack} is still locked") from None
    err.print(f"{stack} is free: `llmctl deploy {chosen.environment}`", markup=False)


def _operator() -> tuple[str, str]:
    """Return object id and kind of whoever `az` is logged in as: a person, a service principal or a managed identity.

    The id stands in the token itself, since a service principal may often not read the directory, not even itself.
    """
    kind = json.loads(_az(["az", "account", "show", "--query", "user.type", "--output", "json"]))
    token = json.loads(_az(["az", "account", "get-access-token", "--query", "accessToken", "--output", "json"]))
    payload = str(token).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["oid"]), "ServicePrincipal" if kind == "servicePrincipal" else "User"


def bootstrap_commands(settings: "Settings", operator_object_id: str, operator_kind: str = "User") -> list[list[str]]:
    """Return the commands that create the state's storage; each may be repeated.

    `operator_kind` is Azure's name for what the operator is: `User` or `ServicePrincipal`.

    Raises ValueError when the environment keeps its state elsewhere.
    """
    backend = settings.state.azurerm
    if backend is None:
        raise ValueError(f"{settings.name} keeps no state in Azure")
    group, account = backend.resource_group, backend.storage_account
    subscription, region = settings.azure.subscription_id, settings.azure.region
    redundancy = "Standard_ZRS" if settings.azure.zones else "Standard_LRS"
    within = f"--subscription {subscription} --resource-group {group}"
    tags = f"--tags platform={settings.prefix} environment={settings.name} purpose=terraform-state"
    accounts = "Microsoft.Storage/storageAccounts"
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{accounts}/{account}"
    commands = (
        f"az group create --subscription {subscription} --name {group} --location {region} {tags}",
        (
            f"az storage account create {within} --name {account} --location {region} {tags}"
            f" --kind StorageV2 --sku {redundancy} --min-tls-version TLS1_2 --https-only true"
            " --allow-blob-public-access false --allow-shared-key-access false"
            f" {_exposure(backend)}"
        ),
        *(
            f"az storage account network-rule add {within} --account-name {account} --ip-address {_rule(allowed)}"
            for allowed in backend.ip_ranges
        ),
        (
            f"az storage account blob-service-properties update {within} --account-name {account}"
            f" --enable-versioning true --enable-delete-retention true --delete-retention-days {_RETENTION_DAYS}"
            f" --enable-container-delete-retention true --container-delete-retention-days {_RETENTION_DAYS}"
        ),
        # Through the management API: a role on the data takes minutes until it works.
        f"az storage container-rm create {within} --storage-account {account} --name {backend.container}",
        (
            f"az role assignment create --assignee-object-id {shlex.quote(operator_object_id)}"
            f' --assignee-principal-type {operator_kind} --role "Storage Blob Data Contributor" --scope {scope}'
        ),
        *_private_endpoint(backend, within, scope, region, tags),
        (
            f"az lock create {within} --name terraform-state --lock-type CanNotDelete"
            f" --resource {account} --resource-type {accounts}"
        ),
    )
    return [shlex.split(command) for command in commands]


def _exposure(backend: "AzurermStateSettings") -> str:
    if backend.private_endpoint_subnet_id:
        return "--public-network-access Disabled --default-action Deny"
    return f"--public-network-access Enabled --default-action {'Deny' if backend.ip_ranges else 'Allow'}"


def _rule(allowed: "IPv4Network") -> str:
    # The firewall of storage accounts takes a single address only without a prefix length.
    return str(allowed.network_address) if allowed.prefixlen == 32 else str(allowed)


def _private_endpoint(
    backend: "AzurermStateSettings", within: str, scope: str, region: str, tags: str
) -> tuple[str, ...]:
    if backend.private_endpoint_subnet_id is None:
        return ()
    name = f"{backend.storage_account}-blob"
    command = (
        f"az network private-endpoint create {within} --name {name} --connection-name {name} --location {region} {tags}"
        f" --private-connection-resource-id {scope} --group-id blob"
        f" --subnet {shlex.quote(backend.private_endpoint_subnet_id)}"
    )
    return (command,)


def _without_bootstrap(settings: "Settings") -> str:
    if settings.state.hcp:
        return (
            f"{settings.name} keeps its state in HCP Terraform: run `terraform login {settings.state.hcp.hostname}`, "
            f"then `llmctl remote bootstrap {settings.name}`."
        )
    return f"{settings.name} keeps its state in state/{settings.name}/ of this checkout: nothing to create."


def _az(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise OperatorError(
            f"`{shlex.join(command[:4])} …` failed: {lines[0] if lines else 'no message'}",
            "log in with `az login`, check your roles on the subscription, and run this again",
        )
    return done.stdout


def _shown(command: list[str]) -> str:
    # The placeholder of a dry run has to stay a substitution in the operator's shell.
    return " ".join(word if word.startswith("$(") else shlex.quote(word) for word in command)
