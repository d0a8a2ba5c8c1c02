"""`llmctl docs`: parts of the documentation that are drawn from the code."""

from typing import Annotated

import typer

from scripts.core.console import err, out
from scripts.core.workspace import ROOT
from scripts.lab.architecture.description import describe
from scripts.lab.architecture.picture import draw
from stacks.settings import load_settings

PICTURE = ROOT / "docs" / "images" / "architecture.svg"
ENVIRONMENT = "dev"
"""The environment in the picture: every component is on in it."""

app = typer.Typer(help="Draw parts of the documentation from the code.")


@app.callback()
def docs() -> None:
    """Draw parts of the documentation from the code."""


@app.command()
def architecture(
    write: Annotated[bool, typer.Option("--write", help="Write docs/images/architecture.svg.")] = False,
) -> None:
    """Draw the stacks, what they read of each other, and the components with their traffic, as SVG."""
    picture = draw(describe(load_settings(ENVIRONMENT)))
    if write:
        PICTURE.write_text(picture, "utf-8")
        err.print(f"{PICTURE.relative_to(ROOT)} written.")
        return
    out.file.write(picture)
