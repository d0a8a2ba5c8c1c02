"""`llmctl setup`: the preparation that every command does, by itself."""

import platform
import subprocess
import sys
from typing import Annotated

import typer

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError
from scripts.bootstrap.toolchain import Toolchain
from scripts.core.console import out
from scripts.core.workspace import ROOT

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def setup(
    dev: Annotated[bool, typer.Option("--dev", help="Also install the packages for tests and checks.")] = False,  # noqa: ARG001
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Delete everything first.")] = False,  # noqa: ARG001
) -> None:
    """Prepare this checkout: Python packages, Node and cdktf, inside the checkout only.

    Every command does this when something is missing; `setup` does nothing else. --rebuild repairs a damaged
    environment.

    Examples: `llmctl setup`, `llmctl setup --dev --rebuild`
    """
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
    out.print("Plain commands: `source .venv/bin/activate`, then cdktf, llmctl, python main.py")
