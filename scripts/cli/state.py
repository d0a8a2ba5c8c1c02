"""`llmctl state`: where Terraform keeps its state."""

import json
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Annotated

import typer

from .console import err, out
from .errors import ExitCode, OperatorError
from .targets import complete_environment, load_environment, parse_targets

if TYPE_CHECKING:
    from stacks.settings import Settings

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

    Entra logins only, no account keys; versions and deleted blobs are kept for 30 days; a lock protects the account.
    Running it again changes nothing.
    """
    settings = load_environment(parse_targets([environment] if environment else []).environment)
    if settings.state.azurerm is None:
        out.print(_without_bootstrap(settings))
        return
    if dry_run:
        for command in bootstrap_commands(settings, "$(az ad signed-in-user show --query id --output tsv)"):
            typer.echo(_shown(command))
        return
    if shutil.which("az") is None:
        raise OperatorError("no `az` on PATH", "install the Azure CLI, or take --dry-run's list", ExitCode.NOT_READY)
    operator = json.loads(_az(["az", "ad", "signed-in-user", "show", "--query", "id", "--output", "json"]))
    for command in bootstrap_commands(settings, operator):
        typer.echo(_shown(command), err=True)
        _az(command)
    err.print(f"Ready: `llmctl deploy {settings.name}` keeps its state there.", markup=False)


def bootstrap_commands(settings: "Settings", operator_object_id: str) -> list[list[str]]:
    """Return the commands that create the state's storage; each may be repeated.

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
            f' --assignee-principal-type User --role "Storage Blob Data Contributor" --scope {scope}'
        ),
        (
            f"az lock create {within} --name terraform-state --lock-type CanNotDelete"
            f" --resource {account} --resource-type {accounts}"
        ),
    )
    return [shlex.split(command) for command in commands]


def _without_bootstrap(settings: "Settings") -> str:
    if settings.state.hcp:
        return (
            f"{settings.name} keeps its state in HCP Terraform: run `terraform login {settings.state.hcp.hostname}`; "
            "the workspaces are created by the first deployment."
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
