"""The board says what each of several pieces of work does, on a terminal and in a log."""

import io
import re

from rich.console import Console

from scripts.core.progress import Board


def _said(*, terminal: bool, keep_ended: bool) -> str:
    log = io.StringIO()
    console = Console(file=log, width=100, force_terminal=terminal, color_system=None)
    with Board(console, ["network", "aks"] if keep_ended else [], "deploy", keep_ended=keep_ended) as board:
        board.phase("network", "planning")
        board.detail("network", "3/4 [half]")
        board.end("network", "4 created")
        if keep_ended:
            board.end("aks", "not started", "skipped")
        board.say("above")
    return log.getvalue()


def test_a_log_has_one_line_for_each_event() -> None:
    lines = ["deploy network: planning", "deploy network: 4 created 0:00", "deploy aks: not started", "above"]
    assert _said(terminal=False, keep_ended=True).splitlines() == lines


def test_a_log_says_every_ten_seconds_how_far_it_has_come() -> None:
    log, now = io.StringIO(), [0.0]
    console = Console(file=log, width=100, force_terminal=False, color_system=None)
    with Board(console, ["platform", "aks"], "deploy", clock=lambda: now[0]) as board:
        board.phase("platform", "applying")
        for second in range(1, 32):
            now[0] = second
            board.detail("platform", f"applying {second}/40")
            if second == 12:
                board.note("platform", "applying 12/40  helm_release.opik 12 s")
    assert log.getvalue().splitlines() == [
        "deploy platform: applying",
        "deploy platform: applying 10/40",
        "deploy platform: applying 12/40  helm_release.opik 12 s",
        "deploy platform: applying 22/40",
    ]


def test_a_log_hears_of_what_is_silent_for_long_that_it_goes_on() -> None:
    log, now = io.StringIO(), [0.0]
    console = Console(file=log, width=100, force_terminal=False, color_system=None)
    with Board(console, ["platform", "aks", "network"], "plan", clock=lambda: now[0]) as board:
        board.phase("platform", "planning")
        board.end("aks", "no changes")
        for second in (19.0, 20.0, 39.0, 41.0):
            now[0] = second
            board.beat()
    assert [line.partition(",")[0] for line in log.getvalue().splitlines()] == [
        "plan platform: planning",
        "plan aks: no changes",
        "plan platform: planning",
        "plan platform: planning",
    ]


def test_a_terminal_keeps_every_line_with_its_end() -> None:
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", _said(terminal=True, keep_ended=True))
    last = [" ".join(line.split()) for line in said.splitlines() if line.strip()][-2:]
    assert last == ["✓ network 0:00 4 created", "- aks not started"]


def test_what_has_ended_can_leave_the_board_and_is_printed() -> None:
    assert "✓ network 0:00 4 created" in _said(terminal=True, keep_ended=False)
    assert _said(terminal=False, keep_ended=False).splitlines()[:2] == [
        "deploy network: planning",
        "deploy network: 4 created 0:00",
    ]
