"""Arguments and options that commands of several nouns share."""

import re
from typing import Annotated

import typer

from scripts.core.console import Terminal
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment


def _named(name: str | None) -> str | None:
    """Refuse an empty name, which a script with an unset variable would send to the default environment."""
    if name is not None and not name.strip():
        raise typer.BadParameter("is empty; name an environment, or leave the argument out for the default")
    return name


def require_terminal(terminal: Terminal) -> None:
    """Return where a person can type into a shell. Raises OperatorError (REFUSED) where nobody can."""
    if not terminal.interactive():
        raise OperatorError("a shell needs a terminal", "run it in one, without a pipe", ExitCode.REFUSED)


def shown(name: str) -> str:
    """Refuse a name that nobody could see or type."""
    if not name.strip() or not name.isprintable() or name != name.strip():
        raise typer.BadParameter("must be a name in printable characters, without spaces around it")
    return name


def mail_address(text: str) -> str:
    """Refuse what cannot be the e-mail address of a login."""
    before, _, domain = shown(text).rpartition("@")
    if not before or not domain:
        raise typer.BadParameter("must be an e-mail address")
    return text


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str, option: str) -> int:
    """Return the seconds of a time such as `10m`; 0 for none. Raises OperatorError (USAGE)."""
    if not text:
        return 0
    if not re.fullmatch(r"[1-9]\d{0,5}[smhd]", text):
        raise OperatorError(f"{option}: {text!r} is no time such as 10m", "units are s, m, h, d", ExitCode.USAGE)
    return int(text[:-1]) * _UNITS[text[-1]]


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
