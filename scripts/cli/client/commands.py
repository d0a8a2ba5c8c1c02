"""The commands. They read the CA's certificate from the vault, and print nothing of its key."""

from typing import Annotated

import typer

from scripts.applications.internal_ca import fingerprint, root_certificate
from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.targets import default_environment
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.installers import installer_files
from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="What people need so that their computers trust the internal CA of a private environment.",
)


def _opened(context: typer.Context, environment: str | None) -> tuple[Settings, str]:
    tools = tools_of(context)
    settings = tools.load(environment or default_environment())
    return settings, root_certificate(settings, tools.azure_of(settings.azure.subscription_id).vaults)


@app.command("fingerprint")
def show_fingerprint(context: typer.Context, environment: Environment = None) -> None:
    """Print the SHA-256 fingerprint of the internal CA, to be given to people by another way than its certificate.

    Needs a login of `az` that may read secrets of the vault.

    Examples: `llmctl client fingerprint prod`, `llmctl client fingerprint`
    """
    typer.echo(fingerprint(_opened(context, environment)[1]))


@app.command("ca")
def show_authority(context: typer.Context, environment: Environment = None) -> None:
    """Print the certificate of the internal CA, as PEM.

    Needs a login of `az` that may read secrets of the vault.

    Examples: `llmctl client ca prod`, `llmctl client ca`
    """
    typer.echo(_opened(context, environment)[1], nl=False)


@app.command("installer")
def show_installer(
    context: typer.Context,
    environment: Environment = None,
    *,
    windows: Annotated[bool, typer.Option("--windows", help="The one for PowerShell instead of a shell.")] = False,
) -> None:
    """Print the installer that the start page hands out, made for the environment's zone and hosts.

    Asks nobody; whoever runs it gives it the fingerprint.

    Examples: `llmctl client installer prod`, `llmctl client installer prod --windows`
    """
    settings = tools_of(context).load(environment or default_environment())
    found = installer_files(enabled_components(settings))
    typer.echo(found["install-client.ps1" if windows else "install-client.sh"], nl=False)
