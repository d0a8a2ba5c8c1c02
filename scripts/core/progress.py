"""One line per stack, with what it is doing and for how long."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Line:
    """State of one stack on the board."""

    text: str = "waits"
    started: float | None = None
    ended: float | None = None
    mark: str = ""
    """Sign of the end, with its Rich style; empty while it is not over."""

    def elapsed(self, now: float) -> str:
        """Return the time taken so far, as minutes and seconds."""
        if self.started is None:
            return ""
        seconds = int((self.ended or now) - self.started)
        return f"{seconds // 60}:{seconds % 60:02}"


_MARKS = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]-[/]"}


class Board:
    """Live table on a terminal; elsewhere one printed line for each change of phase. Safe to use from threads."""

    def __init__(self, console: Console, names: Sequence[str], title: str) -> None:
        self._console = console
        self._title = title
        self._lines = {name: Line() for name in names}
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> "Board":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
            self._console.print(self._render(final=True))

    def phase(self, name: str, text: str) -> None:
        """Say that `name` begins something."""
        with self._lock:
            line = self._lines[name]
            self._lines[name] = replace(line, text=text, started=line.started or time.monotonic(), mark="")
        self._print(name, text)

    def detail(self, name: str, text: str) -> None:
        """Say how far `name` has come; shown on a terminal only."""
        with self._lock:
            self._lines[name] = replace(self._lines[name], text=text)

    def note(self, name: str, text: str) -> None:
        """Say what takes long; elsewhere than on a terminal, which shows it as detail."""
        self._print(name, text)

    def end(self, name: str, text: str, outcome: str = "ok") -> None:
        """Say how `name` ended: `ok`, `failed` or `skipped`."""
        with self._lock:
            self._lines[name] = replace(self._lines[name], text=text, ended=time.monotonic(), mark=_MARKS[outcome])
        self._print(name, text)

    def say(self, text: str) -> None:
        """Print a line above the board."""
        self._console.print(text)

    def _print(self, name: str, text: str) -> None:
        if not self._console.is_terminal:
            line = self._lines[name]
            time_taken = line.elapsed(time.monotonic()) if line.mark else ""
            self._console.print(f"{self._title} {name}: {text} {time_taken}".rstrip(), markup=False)

    def _render(self, *, final: bool = False) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        now = time.monotonic()
        with self._lock:
            lines = dict(self._lines)
        for name, line in lines.items():
            running = line.started is not None and not line.mark and not final
            mark = self._spinner if running else Text.from_markup(line.mark or "[dim]·[/]")
            table.add_row(
                mark, f"[bold]{name}[/]", line.elapsed(now), Text(line.text, overflow="ellipsis", no_wrap=True)
            )
        return table
