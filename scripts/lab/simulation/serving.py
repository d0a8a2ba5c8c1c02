"""Where requests wait, and how they get to replicas."""

from collections import deque
from collections.abc import Callable

from .events import Clock
from .pods import Fleet, Held, Pod
from .scenario import Scenario
from .traffic import Request


class Front:
    """The one queue in front of all replicas; it serves first come, first served.

    A request is refused (503) at once when as many as are allowed are held or served; later when no engine came up
    within the wait limit, or when one was there but its turn did not come in time.
    Replicas share the queue, so none is idle while a request waits: the best that any load balancing can do.
    """

    def __init__(self, clock: Clock, scenario: Scenario, fleet: Fleet) -> None:
        self._clock, self._scenario, self._fleet = clock, scenario, fleet
        self._queue: deque[Held] = deque()
        self.waits_s: list[float] = []
        """From arrival to the start of the computation that answered, of each answered request."""
        self.refused = self.timed_out = self.interrupted = self.cold = self.in_service = 0
        self.busy_s = 0.0
        self.on_activity: Callable[[], None] = lambda: None
        fleet.on_ready = self._forward_held
        fleet.on_interrupted = self._retry

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    @property
    def concurrency(self) -> int:
        """Requests held and served, as the HTTP add-on's interceptor counts them."""
        return len(self._queue) + self.in_service

    def arrive(self, request: Request) -> None:
        """Take a request in, or refuse it."""
        self.cold += not self._fleet.ready
        if self.concurrency >= self._scenario.most_requests:
            self.refused += 1
            return
        held = Held(request)
        self._queue.append(held)
        self._hold(held)
        self._dispatch()
        self.on_activity()

    def _hold(self, held: Held) -> None:
        if self._fleet.ready:
            self._forward(held)
        else:
            self._clock.after(self._scenario.hold_s, self._give_up_holding, held, held.attempt)

    def _forward(self, held: Held) -> None:
        held.forwarded = True
        self._clock.after(self._scenario.answer_s, self._give_up, held, held.attempt)

    def _forward_held(self) -> None:
        for held in self._queue:
            if not held.forwarded:
                self._forward(held)
        self._dispatch()

    def _dispatch(self) -> None:
        ready = self._fleet.ready
        while self._queue and ready:
            pod = ready[0] if len(ready) == 1 else min(ready, key=lambda candidate: len(candidate.serving))
            if len(pod.serving) >= self._scenario.concurrency:
                return
            held = self._queue.popleft()
            held.attempt += 1
            pod.serving[held] = None
            self.in_service += 1
            service_s = self._scenario.service_s(held.request)
            self._clock.after(service_s, self._finish, pod, held, held.attempt, self._clock.now_s)

    def _finish(self, pod: Pod, held: Held, attempt: int, started_s: float) -> None:
        if held.attempt != attempt:
            return
        del pod.serving[held]
        self.in_service -= 1
        self.waits_s.append(started_s - held.request.arrival_s)
        self.busy_s += self._clock.now_s - started_s
        self._fleet.released(pod)
        self.on_activity()
        self._dispatch()

    def _give_up_holding(self, held: Held, attempt: int) -> None:
        if not held.forwarded:
            self._give_up(held, attempt)

    def _give_up(self, held: Held, attempt: int) -> None:
        if held.attempt == attempt:
            self._queue.remove(held)
            self.timed_out += 1

    def _retry(self, cut_off: list[Held]) -> None:
        for held in reversed(cut_off):
            held.attempt += 1
            held.forwarded = False
            self.in_service -= 1
            self.interrupted += 1
            self._queue.appendleft(held)
            self._hold(held)
        self._dispatch()
