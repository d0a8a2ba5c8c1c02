"""Arguments and options that commands of several nouns share."""

from typing import Annotated

import typer

from scripts.core.targets import complete_environment


def _named(name: str | None) -> str | None:
    """Refuse an empty name, which a script with an unset variable would send to the default environment."""
    if name is not None and not name.strip():
        raise typer.BadParameter("is empty; name an environment, or leave the argument out for the default")
    return name


Environment = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENV]",
        autocompletion=complete_environment,
        callback=_named,
        help="Left out: $PLATFORM_ENV, else dev.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to a plan that destroys nothing.")]
AllowDestroy = Annotated[bool, typer.Option("--allow-destroy", help="Agree to resources being destroyed or replaced.")]
