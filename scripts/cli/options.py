"""Arguments and options that commands of several nouns share."""

from typing import Annotated

import typer

from scripts.core.targets import complete_environment

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to a plan that destroys nothing.")]
AllowDestroy = Annotated[bool, typer.Option("--allow-destroy", help="Agree to resources being destroyed or replaced.")]
