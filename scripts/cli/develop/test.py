"""`llmctl test`: everything that is promised, as tests."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT
from scripts.gates.source_checks import FAST, Verdict, live_shared_out, run_checks, shared_out, static_checks
from scripts.terraform.program import require_terraform

from .check import show

_PYTEST_USAGE = 4
"""pytest.ExitCode.USAGE_ERROR."""

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
    """Run the tests, as CI does: ruff, mypy, shellcheck, and beside them every test, rehearsal and policy included.

    --fast runs what a developer runs on each save: all tests that need only Python, cdktf and a shell.
    --live runs only the tests with the real programs (PostgreSQL, LiteLLM, Open WebUI and others), as root on Linux.
    Other arguments go to pytest: `llmctl test --fast -k wiring`, `llmctl test -m programs`.
    Test modules are distributed over one process per processor and one more, those of the live set over two.

    Examples: `llmctl test`, `llmctl test --fast --workers 2`
    """
    refuse_unknown(context.args)
    if not fast:
        require_terraform()
    selected = ["-m", "live"] if live else ["-m", FAST] if fast else []
    shared = live_shared_out(workers) if live else shared_out(workers)
    command = [sys.executable, "-m", "pytest", *selected, *shared, *context.args]
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(1) as beside:
        # mypy takes a minute of one processor.
        checks = None if fast or live else beside.submit(run_checks, static_checks(), verdicts.append)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603
    for verdict in verdicts:
        show(verdict)
    if status or not (checks is None or checks.result()):
        raise typer.Exit(ExitCode.FAILED)


def refuse_unknown(arguments: Sequence[str]) -> None:
    """Return when pytest knows the arguments. Raises OperatorError (USAGE), before minutes of checks are spent."""
    if not arguments:
        return
    # It parses everything, and then only lists what it knows.
    asked = [sys.executable, "-m", "pytest", "--markers", *arguments]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == _PYTEST_USAGE:
        said = [line.partition("error: ")[2] for line in done.stderr.splitlines() if "error: " in line.lower()]
        raise OperatorError(
            f"pytest does not take {' '.join(arguments)}: {next(filter(None, said), 'no message').lower()}",
            "llmctl test --help",
            ExitCode.USAGE,
        )
