"""`llmctl setup`: the preparation that every command does, by itself."""

import platform
import shutil
import subprocess
import sys
from typing import Annotated

import typer

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError
from scripts.bootstrap.toolchain import Toolchain
from scripts.core.console import out
from scripts.core.workspace import ROOT
from scripts.terraform.program import require_terraform
from scripts.tools.bring import own_cache, provide
from scripts.tools.catalogue import everyday, tool

_BESIDE_TERRAFORM = [name for name in everyday() if name != "terraform"]

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def setup(
    dev: Annotated[bool, typer.Option("--dev", help="Also install the packages for tests and checks.")] = False,  # noqa: ARG001
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Delete everything first.")] = False,  # noqa: ARG001
    tools: Annotated[
        bool, typer.Option("--tools", help="Also fetch Terraform, kubectl, kubelogin and Helm where they are missing.")
    ] = False,
) -> None:
    """Prepare this checkout: Python packages, Node and cdktf, inside the checkout only.

    Every command does this when something is missing; `setup` does nothing else. --rebuild repairs a damaged
    environment.

    Commands fetch Terraform, kubectl, kubelogin and Helm by themselves where the machine has none; --tools does it now
    and prints how a shell finds them. Each is a pinned release, compared with its published checksum, else built by Go.

    Examples: `llmctl setup --tools`, `llmctl setup --dev --rebuild`
    """
    if tools:
        _fetch()
    # The launcher has installed everything by the time this runs: both options are its own.
    node = Toolchain(ROOT).node
    version = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    out.print(f"Python     {platform.python_version()}  {sys.executable}", markup=False)
    out.print(f"Node       {version.stdout.strip()}  {node}", markup=False)
    try:
        found = terraform.find()
        out.print(f"Terraform  {found.version}  {found.path}", markup=False)
    except NotReadyError as error:
        out.print(f"Terraform  missing: {error}", markup=False)
    for name in [*_BESIDE_TERRAFORM, "az"]:
        out.print(f"{name:<10} {shutil.which(name) or 'missing'}", markup=False)
    out.print("Plain commands: `source .venv/bin/activate`, then cdktf, llmctl, python main.py")


def _fetch() -> None:
    """Fetch what the machine lacks, and say how people's own shells find it."""
    require_terraform()
    provide(*_BESIDE_TERRAFORM)
    folders = [str(own_cache().path(tool(name)).parent) for name in everyday() if own_cache().has(tool(name))]
    if folders:
        typer.echo(f'export PATH="$PATH:{":".join(folders)}"')
