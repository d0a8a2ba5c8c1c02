"""`llmctl docs`: parts of the documentation that are drawn from the code."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.core.console import err, out
from scripts.core.processes import Processes
from scripts.core.workspace import ROOT, Workspace
from scripts.dashboard.sample import picture as top_picture
from scripts.diagnostics.doctor.page import PAGE as SYMPTOMS
from scripts.diagnostics.doctor.page import page as symptoms_page
from scripts.diagnostics.doctor.problems import PROBLEMS
from scripts.lab.architecture.description import describe
from scripts.lab.architecture.picture import draw
from scripts.lab.security.page import PAGE, tables, written
from scripts.terraform.synthesis import synthesize
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings

PICTURE = ROOT / "docs" / "images" / "architecture.svg"
TOP = ROOT / "docs" / "images" / "top.svg"
ENVIRONMENT = "dev"
"""The environment in the picture: every component is on in it."""
BOTH = ("dev", "prod")
"""Together they have every role and rule: one has NGINX, the other an Application Gateway."""

app = typer.Typer(add_completion=False, help="Draw parts of the documentation from the code.")


@app.callback()
def docs() -> None:
    """Draw parts of the documentation from the code."""


@app.command()
def architecture(
    write: Annotated[bool, typer.Option("--write", help="Write docs/images/architecture.svg.")] = False,
) -> None:
    """Draw the stacks, what they read of each other, and the components with their traffic, as SVG.

    Examples: `llmctl docs architecture`, `llmctl docs architecture --write`
    """
    picture = draw(describe(load_settings(ENVIRONMENT)))
    if write:
        PICTURE.write_text(picture, "utf-8")
        err.print(f"{PICTURE.relative_to(ROOT)} written.")
        return
    out.file.write(picture)


@app.command()
def security(
    write: Annotated[bool, typer.Option("--write", help="Write docs/explanation/security.md.")] = False,
) -> None:
    """Make the security page's tables: Azure roles, secrets and traffic that leaves the cluster.

    Examples: `llmctl docs security`, `llmctl docs security --write`
    """
    components = [enabled_components(load_settings(name)) for name in BOTH]
    made = tables(components, [_synthesized(name) for name in BOTH])
    if write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), made), "utf-8")
        err.print(f"{PAGE.relative_to(ROOT)} written.")
        return
    out.print("\n\n".join(made.values()), markup=False, soft_wrap=True)


def _synthesized(environment: str) -> dict[str, Any]:
    """Return the parsed stacks of an environment, by name."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(environment, Path(folder))
        synthesize(workspace, Processes())
        return {
            name: json.loads((stack.folder / "cdk.tf.json").read_text()) for name, stack in workspace.stacks().items()
        }


@app.command()
def symptoms(
    write: Annotated[bool, typer.Option("--write", help="Write docs/how-to/symptoms.md.")] = False,
) -> None:
    """Make the page of known problems, which `llmctl doctor` looks for.

    Examples: `llmctl docs symptoms`, `llmctl docs symptoms --write`
    """
    made = symptoms_page(PROBLEMS)
    if write:
        SYMPTOMS.write_text(made, "utf-8")
        err.print(f"{SYMPTOMS.relative_to(ROOT)} written.")
        return
    out.file.write(made)


@app.command()
def cli(
    write: Annotated[bool, typer.Option("--write", help="Write docs/reference/cli.md.")] = False,
) -> None:
    """Make the page of the command line: every command with its arguments, options and examples.

    Examples: `llmctl docs cli`, `llmctl docs cli --write`
    """
    # It imports every command, which the other pages do without.
    from .reference import PAGE as COMMAND_LINE  # noqa: PLC0415
    from .reference import page as command_line_page  # noqa: PLC0415

    made = command_line_page(COMMAND_LINE.read_text("utf-8"))
    if write:
        COMMAND_LINE.write_text(made, "utf-8")
        err.print(f"{COMMAND_LINE.relative_to(ROOT)} written.")
        return
    out.file.write(made)


@app.command()
def top(
    write: Annotated[bool, typer.Option("--write", help="Write docs/images/top.svg.")] = False,
) -> None:
    """Take the picture of `llmctl top` with a sample of a busy afternoon, as SVG.

    Examples: `llmctl docs top`, `llmctl docs top --write`
    """
    taken = top_picture()
    if write:
        TOP.write_text(taken, "utf-8")
        err.print(f"{TOP.relative_to(ROOT)} written.")
        return
    out.file.write(taken)
