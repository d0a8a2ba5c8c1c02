"""KEDA between zero and one replica, the horizontal pod autoscaler above."""

from collections import deque

from .assumptions import Assumptions
from .events import Clock
from .formulas import active, cooled_down, desired_replicas, desired_replicas_by_value, stabilized, within_policy
from .pods import Fleet
from .policies import Policy, floor
from .scenario import Scenario
from .serving import Front


class Autoscaler:
    """Sets the number of replicas by what is held and served, as the ScaledObject of a model would."""

    def __init__(
        self, clock: Clock, scenario: Scenario, assumptions: Assumptions, *, policy: Policy, fleet: Fleet, front: Front
    ) -> None:
        self._clock, self._scenario, self._assumptions, self._policy = clock, scenario, assumptions, policy
        self._fleet, self._front = fleet, front
        self._last_active_s = 0.0
        self._pushed = False
        self._recommendations: deque[tuple[float, int]] = deque()
        self._changes: deque[tuple[float, int]] = deque()
        self.cold_starts = 0
        front.on_activity = self._note
        clock.every(assumptions.keda.polling_interval_s, self._poll)
        clock.every(assumptions.hpa.sync_period_s, self._sync)

    def _floor(self) -> int | None:
        return floor(self._policy, self._scenario.min_replicas, self._scenario.warm, self._clock.now_s)

    def _active(self) -> bool:
        return active(self._front.concurrency, self._assumptions.keda.activation_threshold)

    def _note(self) -> None:
        """Let the add-on's scaler see a request come or go; it pushes activity to KEDA between polls."""
        self._last_active_s = self._clock.now_s
        if self._fleet.replicas == 0 and not self._pushed:
            self._pushed = True
            self._clock.after(self._assumptions.keda.push_delay_s, self._push)

    def _push(self) -> None:
        self._pushed = False
        if self._fleet.replicas == 0 and self._floor() is not None and self._active():
            self._wake()

    def _wake(self) -> None:
        self.cold_starts += 1
        self._fleet.scale(max(1, self._floor() or 0))

    def _poll(self) -> None:
        least, now = self._floor(), self._clock.now_s
        if least is None:
            self._fleet.scale(0)
            return
        # Its warm hours are a trigger like any other, so the cooldown begins with their end.
        is_active = self._active() or least > 0
        if is_active:
            self._last_active_s = now
        if self._fleet.replicas < least:
            self._fleet.scale(least)
        elif self._fleet.replicas == 0 and is_active:
            self._wake()
        elif least == 0 and not is_active and cooled_down(now, self._last_active_s, self._scenario.cooldown_s):
            self._fleet.scale(0)

    def _sync(self) -> None:
        least, replicas, hpa = self._floor(), self._fleet.replicas, self._assumptions.hpa
        if least is None or replicas == 0:
            self._recommendations.clear()
            return
        now = self._clock.now_s
        down_window_s = min(hpa.longest_scale_down_window_s, self._scenario.cooldown_s)
        wish = self._recommended(replicas)
        if self._recommendations and self._recommendations[-1][1] == wish:
            # Only the last moment of a wish decides whether a window holds it.
            self._recommendations.pop()
        self._recommendations.append((now, wish))
        _forget(self._recommendations, now - max(down_window_s, hpa.scale_up_window_s))
        up = self._since(now - hpa.scale_up_window_s)
        down = self._since(now - down_window_s)
        desired = min(max(stabilized(replicas, up, down), least, 1), self._scenario.max_replicas)
        if desired == replicas:
            return
        _forget(self._changes, now - hpa.period_s)
        added = sum(change for _, change in self._changes if change > 0)
        removed = -sum(change for _, change in self._changes if change < 0)
        allowed = within_policy(desired, replicas, added, removed, hpa.pods_per_period)
        if allowed != replicas:
            self._changes.append((now, allowed - replicas))
            self._fleet.scale(allowed)

    def _since(self, moment_s: float) -> list[int]:
        recent: list[int] = []
        for at_s, count in reversed(self._recommendations):
            if at_s < moment_s:
                break
            recent.append(count)
        return recent

    def _recommended(self, replicas: int) -> int:
        tolerance, scenario, ready = self._assumptions.hpa.tolerance, self._scenario, len(self._fleet.ready)
        desired = desired_replicas(self._front.concurrency, scenario.concurrency_target, replicas, tolerance)
        if scenario.waiting_target is None or not ready:
            return desired
        # The metric is asked of the Service, so one engine answers: with its share of the queue.
        waiting = self._front.waiting / ready
        return max(desired, desired_replicas_by_value(waiting, scenario.waiting_target, replicas, ready, tolerance))


def _forget(entries: deque[tuple[float, int]], before_s: float) -> None:
    while entries and entries[0][0] < before_s:
        entries.popleft()
