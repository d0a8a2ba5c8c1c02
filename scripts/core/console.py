"""Where the command line writes: results to standard output, everything else to standard error."""

import csv
import getpass
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from rich.console import Console

from .errors import OperatorError

_WIDTH_OF_A_LOG = 140
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _console(stream: TextIO, *, stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _WIDTH_OF_A_LOG)


out = _console(sys.stdout, stderr=False)
err = _console(sys.stderr, stderr=True)


def report(text: str) -> None:
    """Print one line about progress, without markup, on standard error."""
    err.print(text, markup=False)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say what takes seconds while it goes on, in a log too."""
    if not err.is_terminal:
        report(text)
    with err.status(text):
        yield


def print_json(value: Any) -> None:
    """Print `value` for a program to read, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows for a spreadsheet, and nothing else.

    A word that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection).
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell for cell in row])


def print_error(error: OperatorError) -> None:
    """Show an expected error with its fix."""
    err.print("[bold red]Error:[/] ", end="")
    err.print(error.message, markup=False)
    if error.fix:
        err.print("[bold]Fix:[/] ", end="")
        err.print(error.fix, markup=False)


@dataclass(frozen=True)
class Terminal:
    """The person who runs the command, who can be asked where there is a terminal."""

    def interactive(self) -> bool:
        """Tell whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> str:
        """Return what the person answers, in one line; empty when there is no answer."""
        return self.answer(question) or ""

    def hidden(self, question: str) -> str:
        """Return what the person answers without an echo; empty when there is no answer."""
        try:
            return getpass.getpass(question)
        except EOFError:
            return ""

    def answer(self, question: str) -> str | None:
        """Return what the person answers, in one line; None when the input has ended."""
        try:
            return err.input(f"{question} ").strip()
        except EOFError:
            return None


TERMINAL = Terminal()
