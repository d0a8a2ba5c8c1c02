"""KEDA between zero and one replica, the horizontal pod autoscaler above."""

from collections import deque

from .assumptions import Assumptions
from .events import Clock
from .formulas import active, cooled_down, desired_replicas, scale_up_limit, stabilized
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
        self.cold_starts = 0
        front.on_activity = self._note
        clock.every(assumptions.keda.polling_interval_s, self._poll)
        clock.every(assumptions.hpa.sync_period_s, self._sync)

    def _floor(self) -> int | None:
        return floor(self._policy, self._scenario.min_replicas, self._assumptions.schedule, self._clock.now_s)

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
        is_active = self._active()
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
        self._recommendations.append((now, self._recommended(replicas)))
        while self._recommendations[0][0] < now - hpa.stabilization_window_s:
            self._recommendations.popleft()
        wanted = stabilized(replicas, [count for _, count in self._recommendations])
        wanted = min(wanted, scale_up_limit(replicas, hpa), self._scenario.max_replicas)
        self._fleet.scale(max(wanted, least, 1))

    def _recommended(self, replicas: int) -> int:
        tolerance, scenario = self._assumptions.hpa.tolerance, self._scenario
        wanted = desired_replicas(self._front.concurrency, scenario.concurrency_target, replicas, tolerance)
        if scenario.waiting_target is None or not self._fleet.ready:
            return wanted
        waiting = desired_replicas(self._front.waiting, scenario.waiting_target, replicas, tolerance)
        return max(wanted, waiting)
