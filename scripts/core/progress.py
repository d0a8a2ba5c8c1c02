"""Progress of work on several things at once: live lines on a terminal, printed lines elsewhere."""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_MARKS = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]-[/]"}
_OPEN = "[dim]·[/]"
EVERY_S = 10.0
"""How often a printed line says how far something has come, in seconds."""
SILENT_S = 20.0
"""After that a log hears that something still goes on."""


def _elapsed(task: Task) -> str:
    seconds = int(task.elapsed or 0)
    return "" if task.start_time is None else f"{seconds // 60}:{seconds % 60:02}"


class _Mark(SpinnerColumn):
    """Spins while something runs; shows how it ended, or that it has not begun, otherwise."""

    def render(self, task: Task) -> RenderableType:
        mark = task.fields["mark"]
        return Text.from_markup(mark) if mark else super().render(task)


class _Elapsed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_elapsed(task))


class Board:
    """One line for each name, with what it does and for how long. Safe to use from threads.

    A name that is not given beforehand gets its line when it begins. What has ended keeps its line, or, without
    `keep_ended`, is printed above the lines. With `beats` a log hears of what is silent for long, too.
    """

    def __init__(
        self,
        console: Console,
        names: Sequence[str] = (),
        title: str = "",
        *,
        keep_ended: bool = True,
        beats: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._title = title
        self._keep_ended = keep_ended
        self._clock = clock
        self._began = clock()
        self._beats, self._over = beats, threading.Event()
        self._noted: dict[str, float] = {}
        self._progress = Progress(
            _Mark(),
            TextColumn("[bold]{task.fields[name]}"),
            _Elapsed(),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            disable=not console.is_terminal,
        )
        self._lock = threading.Lock()
        self._tasks = {name: self._add(name) for name in names}

    def __enter__(self) -> Self:
        self._progress.start()
        if self._beats and not self._console.is_terminal:
            threading.Thread(target=self._keep_saying, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._progress.tasks:
            if not task.fields["mark"]:
                self._progress.update(task.id, mark=_OPEN)
        self._progress.stop()
        self._over.set()

    def _keep_saying(self) -> None:
        while not self._over.wait(EVERY_S):
            self.beat()

    def beat(self) -> None:
        """Say of everything that has been silent for `SILENT_S` seconds what it does, and for how long."""
        with self._lock:
            running = [(name, task) for name, task in self._tasks.items() if task.started and not task.fields["mark"]]
        for name, task in running:
            if self._clock() - self._noted.get(name, self._began) >= SILENT_S:
                self.note(name, f"{task.description}, {_elapsed(task)}")

    def phase(self, name: str, text: str) -> None:
        """Say that `name` begins something."""
        with self._lock:
            task = self._tasks.get(name) or self._tasks.setdefault(name, self._add(name))
        self._progress.start_task(task.id)
        task.stop_time = None
        self._progress.update(task.id, description=text, mark="")
        self.note(name, text)

    def detail(self, name: str, text: str) -> None:
        """Say how far `name` has come; elsewhere than on a terminal every `EVERY_S` seconds at most."""
        self._progress.update(self._tasks[name].id, description=text)
        if self._clock() - self._noted.get(name, self._began) >= EVERY_S:
            self.note(name, text)

    def note(self, name: str, text: str) -> None:
        """Say what takes long; elsewhere than on a terminal, which shows it as detail."""
        self._noted[name] = self._clock()
        if not self._console.is_terminal:
            self._console.print(f"{self._title} {name}: {text}".strip(), markup=False, highlight=False)

    def end(self, name: str, text: str, outcome: str = "ok") -> None:
        """Say how `name` ended: `ok`, `failed` or `skipped`."""
        task = self._tasks[name]
        if task.start_time is not None:
            self._progress.stop_task(task.id)
        self._progress.update(task.id, description=text, mark=_MARKS[outcome])
        self.note(name, f"{text} {_elapsed(task)}".rstrip())
        if not self._keep_ended:
            with self._lock:
                del self._tasks[name]
            self._progress.remove_task(task.id)
            if self._console.is_terminal:
                self.say(f"{_MARKS[outcome]} [bold]{name}[/] {_elapsed(task)} {escape(text)}")

    def say(self, text: str) -> None:
        """Print a line above the board."""
        self._console.print(text)

    def _add(self, name: str) -> Task:
        added = self._progress.add_task("waits", start=False, name=name, mark=_OPEN)
        return next(task for task in self._progress.tasks if task.id == added)
