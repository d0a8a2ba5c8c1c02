"""`llmctl test`: everything that is promised, as tests."""

import subprocess
import sys
from typing import Annotated

import typer

from scripts.core.console import err
from scripts.core.errors import ExitCode
from scripts.core.workspace import ROOT
from scripts.gates.source_checks import FAST, run_checks, shared_out, static_checks
from scripts.terraform.program import require_terraform

from .check import show

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_tests(
    context: typer.Context,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast", help="Fast set only, a minute: Python and synthesis, no Terraform, Helm or other program."
        ),
    ] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Live tests only, with the real programs; first run scripts/lab/install-live."),
    ] = False,
    workers: Annotated[int | None, typer.Option(min=0, help="Test processes; 0 runs the tests in this one.")] = None,
) -> None:
    """Run the tests, as CI does: ruff, mypy, shellcheck, then every test, rehearsal and policy included.

    --fast runs what a developer runs on each save: all tests that need only Python, cdktf and a shell.
    --live runs only the tests with the real programs (PostgreSQL, LiteLLM, Open WebUI and others), as root on Linux.
    Other arguments go to pytest: `llmctl test --fast -k wiring`, `llmctl test -m programs`.
    Test modules are distributed over one process per processor, and one more for the fast set.

    Examples: `llmctl test`, `llmctl test --fast --workers 2`
    """
    if not fast:
        require_terraform()
    passed = fast or live or run_checks(static_checks(), show)
    selected = ["-m", "live"] if live else ["-m", FAST] if fast else []
    # The programs are started once for all modules of that set.
    shared = () if live else shared_out(workers, beside=int(fast))
    command = [sys.executable, "-m", "pytest", *selected, *shared, *context.args]
    if not passed:
        err.print("The checks above failed; the tests run all the same.")
    status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603
    if status or not passed:
        raise typer.Exit(ExitCode.FAILED)
