"""Simulated time: actions in the order of their moments."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any


class Clock:
    """Runs actions at simulated moments; of two at the same moment, the one scheduled first."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._order = count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, moment_s: float, action: Callable[..., None], *arguments: Any) -> None:
        """Run the action at a moment that is not over yet. Raises ValueError for an earlier one."""
        if moment_s < self.now_s:
            raise ValueError(f"{moment_s} is before {self.now_s}")
        heappush(self._events, (moment_s, next(self._order), action, arguments))

    def after(self, delay_s: float, action: Callable[..., None], *arguments: Any) -> None:
        """Run the action after a delay."""
        self.at(self.now_s + delay_s, action, *arguments)

    def every(self, period_s: float, action: Callable[[], None]) -> None:
        """Run the action after each period, until the end."""

        def tick() -> None:
            action()
            heappush(self._events, (self.now_s + period_s, next(self._order), tick, ()))

        self.after(period_s, tick)

    def run(self, finished: Callable[[], bool]) -> None:
        """Run action after action, until there is none or `finished` says so after one."""
        while self._events:
            self.now_s, _, action, arguments = heappop(self._events)
            action(*arguments)
            if finished():
                return
