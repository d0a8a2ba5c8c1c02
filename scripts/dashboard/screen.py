"""The dashboard itself, on Textual."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static
from textual.worker import Worker, WorkerState

from scripts.core.errors import OperatorError

from .board import Board

EVERY_S = 5.0
POOLS = ("pool", "nodes", "size", "GPUs")
MODELS = ("model", "engine", "state", "requests/min", "tokens/s", "open", "waiting")
GPUS = ("GPU node", "busy", "memory")


class Dashboard(App[None]):
    """Shows a board, and asks for a new one every few seconds; a failure is shown and asked again."""

    TITLE = "llmctl top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: auto; padding: 0 1; margin-bottom: 1; background: $panel; }
    DataTable { height: auto; margin-bottom: 1; }
    #waiting { height: auto; padding: 0 1; color: $warning; }
    #notes { height: auto; padding: 0 1; color: $error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pause", "Pause"),
        Binding("r", "refresh_now", "Refresh"),
    ]

    def __init__(self, ask: Callable[[], Board], *, every_s: float = EVERY_S) -> None:
        super().__init__()
        self.ask, self.every_s = ask, every_s
        self.paused = False
        self.last: Board | None = None

    def compose(self) -> ComposeResult:
        """Give the parts of the screen."""
        yield Static("Asking the cluster …", id="head", markup=False)
        with VerticalScroll():
            for name, columns in (("pools", POOLS), ("models", MODELS), ("gpus", GPUS)):
                table: DataTable[str] = DataTable(id=name, show_cursor=False, zebra_stripes=True)
                table.add_columns(*columns)
                yield table
            yield Static("", id="waiting", markup=False)
            yield Static("", id="notes", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin asking."""
        self.set_interval(self.every_s, self._again)
        self._again()

    def action_pause(self) -> None:
        """Stop asking, or go on."""
        self.paused = not self.paused
        self._head()

    def action_refresh_now(self) -> None:
        """Ask at once."""
        self._ask()

    def _again(self) -> None:
        if not self.paused:
            self._ask()

    def _ask(self) -> None:
        # An answer that takes longer than the interval is waited for: no two are asked for at once.
        if not any(worker.is_running for worker in self.workers):
            self.run_worker(self.ask, thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show what was answered, or why nothing was."""
        answer = event.worker.result
        if event.state is WorkerState.SUCCESS and isinstance(answer, Board):
            self.show(answer)
        elif event.state is WorkerState.ERROR:
            error = event.worker.error
            if not isinstance(error, OperatorError):
                self.exit()
                raise error or RuntimeError
            self.query_one("#notes", Static).update(error.message)

    def show(self, board: Board) -> None:
        """Show a board."""
        self.last = board
        self._head()
        self._fill(
            "pools",
            ((p.name, f"{p.ready} of {p.nodes}", _size(p.size, spot=p.spot), _count(p.gpus)) for p in board.pools),
        )
        self._fill(
            "models",
            (
                (
                    row.name,
                    row.engine,
                    row.state,
                    f"{row.requests_per_minute:.1f}",
                    f"{row.tokens_per_second:.0f}",
                    _count(row.open),
                    _count(row.waiting),
                )
                for row in board.models
            ),
        )
        self._fill("gpus", ((row.node, f"{row.percent:.0f}%", f"{row.memory:.0%}") for row in board.gpu_nodes))
        self.query_one("#gpus").display = bool(board.gpu_nodes)
        waiting = "\n".join(board.waiting_pods)
        self.query_one("#waiting", Static).update(f"Waiting pods\n{waiting}" if waiting else "")
        self.query_one("#notes", Static).update("\n".join(board.notes))

    def _head(self) -> None:
        if board := self.last:
            gpus = sum(pool.gpus for pool in board.pools)
            least = "" if board.usd_is_whole else "at least "
            words = [
                f"{board.environment} at {board.at:%H:%M:%S}",
                f"{board.people_waiting} waiting",
                f"{board.tokens_per_second:.0f} tokens/s",
                f"{board.gpus_in_use} of {gpus} GPUs in use",
                f"{least}{board.usd_per_hour:.2f} USD/h of nodes",
                *(["paused"] if self.paused else []),
            ]
            self.query_one("#head", Static).update("   ".join(words))

    def _fill(self, name: str, rows: Iterable[tuple[str, ...]]) -> None:
        table: DataTable[str] = self.query_one(f"#{name}", DataTable)
        table.clear()
        for row in rows:
            table.add_row(*row)


def _size(size: str, *, spot: bool) -> str:
    return f"{size} spot" if spot else size


def _count(number: int) -> str:
    return str(number) if number else "·"
