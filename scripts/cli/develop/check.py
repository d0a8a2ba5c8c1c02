"""`llmctl check`: the gate before every commit."""

from typing import Annotated

import typer

from scripts.core.console import err
from scripts.core.errors import ExitCode
from scripts.gates.source_checks import Verdict, fast_tests, run_checks, static_checks

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def check(
    fix: Annotated[bool, typer.Option("--fix", help="Let ruff fix what it can.")] = False,
    static: Annotated[bool, typer.Option("--static", help="Skip the tests.")] = False,
) -> None:
    """Run ruff, mypy, shellcheck, zizmor, actionlint, the quick checks of `llmctl policy` and the fast tests.

    All in parallel. `scripts/check` is the same.

    Examples: `llmctl check`, `llmctl check --fix --static`
    """
    checks = static_checks(fix=fix)
    if not static:
        checks.insert(0, fast_tests())
    if not run_checks(checks, show):
        raise typer.Exit(ExitCode.FAILED)


def show(verdict: Verdict) -> None:
    """Print one verdict, with the program's output where it failed."""
    mark = "[green]✓[/]" if verdict.passed else "[red]✗[/]"
    last = verdict.output.strip().splitlines()[-1:] if verdict.check.name == "pytest" else []
    err.print(f"{mark} {verdict.check.name} ({verdict.seconds:.1f} s)", *(line.strip("= ") for line in last))
    if not verdict.passed:
        err.print(verdict.output.rstrip(), markup=False, highlight=False)
