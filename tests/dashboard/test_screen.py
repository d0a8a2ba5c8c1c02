"""The dashboard on a terminal of a fixed size: what it shows, that it asks again, and that a failure is no end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from scripts.core.errors import OperatorError
from scripts.core.workspace import ROOT
from scripts.dashboard.board import Board, Engine, GpuRow, Pool, model_rows
from scripts.dashboard.rates import Rates
from scripts.dashboard.sample import picture
from scripts.dashboard.screen import Dashboard

AT = datetime(2026, 11, 30, 12, 34, 56, tzinfo=UTC)
ENGINES = (Engine("ollama-t4", 0, 1, suspended=False, models=("phi3.5",)),)
BOARD = Board(
    environment="dev",
    at=AT,
    pools=(Pool("t4", "Standard_NC4as_T4_v3", spot=True, ready=1, nodes=2, gpus=1),),
    gpus_in_use=1,
    models=tuple(model_rows(ENGINES, Rates(open={"ollama-t4": 3}, tokens={"phi3.5": 21.4}))),
    gpu_nodes=(GpuRow("aks-t4-1", 87, 0.5),),
    waiting_pods=("serving/ollama-t4: [starting]",),
    usd_per_hour=0.529,
    usd_is_whole=False,
)


def played(app: Dashboard, play: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            await play(pilot)

    asyncio.run(run())


def text(app: Dashboard, part: str) -> str:
    return str(app.query_one(part, Static).content)


def test_one_screen_tells_who_waits_what_runs_and_what_it_costs() -> None:
    app = Dashboard(lambda: BOARD, every_s=3600)

    async def look(_: Pilot[None]) -> None:
        head = text(app, "#head")
        for words in ("dev at 12:34:56", "3 waiting", "21 tokens/s", "1 of 1 GPUs in use", "at least 0.53 USD/h"):
            assert words in head
        assert app.query_one("#models", DataTable).get_row_at(0) == [
            "phi3.5",
            "ollama-t4",
            "starting",
            "0.0",
            "21",
            "3",
            "3",
        ]
        assert app.query_one("#pools", DataTable).get_row_at(0) == ["t4", "1 of 2", "Standard_NC4as_T4_v3 spot", "1"]
        assert app.query_one("#gpus", DataTable).get_row_at(0) == ["aks-t4-1", "87%", "50%"]
        assert text(app, "#waiting") == "Waiting pods\nserving/ollama-t4: [starting]"

    played(app, look)


def test_failure_is_shown_and_the_next_answer_takes_its_place() -> None:
    fails = iter([False, True, False])

    def ask() -> Board:
        if next(fails):
            raise OperatorError("the cluster gives no answer")
        return BOARD

    app = Dashboard(ask, every_s=3600)

    async def look(pilot: Pilot[None]) -> None:
        for expected in ("the cluster gives no answer", ""):
            await pilot.press("r")
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert text(app, "#notes") == expected
            assert "3 waiting" in text(app, "#head"), "what was known last stays"

    played(app, look)


def test_paused_dashboard_asks_nothing_until_it_is_told_to() -> None:
    asked = []

    def ask() -> Board:
        asked.append(1)
        return BOARD

    app = Dashboard(ask, every_s=3600)

    async def look(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        app._again()
        await app.workers.wait_for_complete()
        assert (len(asked), "paused" in text(app, "#head")) == (1, True)
        await pilot.press("p")
        app._again()
        await app.workers.wait_for_complete()
        assert (len(asked), "paused" in text(app, "#head")) == (2, False)
        await pilot.press("q")

    played(app, look)


def test_picture_in_the_documentation_is_of_this_dashboard_and_fetches_nothing() -> None:
    taken = picture()
    assert (ROOT / "docs" / "images" / "top.svg").read_text("utf-8") == taken, "run: llmctl docs top --write"
    assert "@font-face" not in taken
    assert "url(http" not in taken
