"""Shows how far every image is: live on a terminal, one line per event elsewhere."""

import threading
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_WIDTH = 70


class Reporter(Protocol):
    """Where work on images tells what it does; called from any thread."""

    def start(self, name: str, what: str) -> None:
        """Work on an image began."""

    def step(self, name: str, text: str) -> None:
        """It made progress."""

    def finish(self, name: str, outcome: str, *, failed: bool = False) -> None:
        """It ended."""

    def tell(self, text: str) -> None:
        """Something that concerns no single image."""


class ConsoleReporter:
    """Writes to a console, which should be standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.fields[image]}"), TextColumn("{task.description}"))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._tasks: dict[str, tuple[TaskID, float]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, name: str, what: str) -> None:
        """Show a line for an image."""
        with self._lock:
            self._tasks[name] = (self._progress.add_task(what, total=None, image=name), time.monotonic())
        if not self._console.is_terminal:
            self.tell(f"{name}: {what}")

    def step(self, name: str, text: str) -> None:
        """Show the newest line of an image's work."""
        short = escape(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…")
        self._progress.update(self._tasks[name][0], description=short)

    def finish(self, name: str, outcome: str, *, failed: bool = False) -> None:
        """Replace the line of an image by what became of it."""
        with self._lock:
            task, begun = self._tasks.pop(name)
        self._progress.remove_task(task)
        style = "red" if failed else "green"
        self._console.print(
            f"[{style}]{name}[/]: {escape(outcome)} ({time.monotonic() - begun:.1f} s)", highlight=False
        )

    def tell(self, text: str) -> None:
        """Print a line."""
        self._console.print(escape(text), highlight=False)
