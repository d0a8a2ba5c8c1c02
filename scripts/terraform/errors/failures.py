"""Terraform's errors as an operator reads them: each once, with a suggested fix where one is known."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from scripts.core.console import err

from ..stack import StackRunner, TerraformError
from .diagnose import Diagnosis, diagnose


def print_failures(failures: Sequence[tuple[StackRunner, TerraformError]], redeploy: str) -> None:
    """Show what Terraform reported, the same error of several stacks once, and what to do; `redeploy` runs it again."""
    groups: dict[str, tuple[Diagnosis, list[str]]] = {}
    for runner, error in failures:
        found = diagnose(error.output, _relative(runner.stack.folder), f"`{redeploy}`", runner.stack.attributes)
        for diagnosis in found or [_last_lines(error)]:
            _, titles = groups.setdefault(_sameness(diagnosis.text), (diagnosis, []))
            title = f"{error.stack}: terraform {error.action} failed"
            if title not in titles:
                titles.append(title)
    for diagnosis, titles in groups.values():
        for title in titles:
            stack, colon, rest = title.partition(":")
            err.print(Text.assemble((stack + colon, "bold red"), rest))
        err.print(diagnosis.text, markup=False)
        if diagnosis.fix:
            err.print("[bold]Fix:[/] ", end="")
            err.print(diagnosis.fix, markup=False, soft_wrap=True)
    if failures:
        logs = ", ".join(_relative(runner.log) for runner, _ in failures)
        err.print(f"Full log: {logs}", markup=False, soft_wrap=True)


def _last_lines(error: TerraformError) -> Diagnosis:
    return Diagnosis("\n".join(f"  {line}" for line in error.output.rstrip().splitlines()[-15:]))


def _sameness(text: str) -> str:
    """Return what two errors have in common when they are the same: all but place, quoted source and local ports."""
    return " ".join(re.sub(r"(?m):\d+->|on cdk\.tf\.json line \d+|^\s*\d+: .*$", "", text).split())


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
