"""How every command that checks something ends."""

from typing import Any

import typer

from scripts.core.checks import Check, failed, print_checks
from scripts.core.console import print_json
from scripts.core.errors import ExitCode


def end_with(checks: list[Check], document: Any, *, as_json: bool) -> None:
    """Print the checks, or `document` for programs. Raises typer.Exit (FAILED) when one found something wrong."""
    if as_json:
        print_json(document)
    else:
        print_checks(checks)
    if failed(checks):
        raise typer.Exit(ExitCode.FAILED)
