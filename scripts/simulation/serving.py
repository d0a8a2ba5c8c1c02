"""Where requests wait, and how they get to replicas."""

from collections import deque
from collections.abc import Callable

from .assumptions import Queue
from .events import Clock
from .pods import Fleet, Held, Pod
from .scenario import Scenario
from .traffic import Request


class Front:
    """The one queue in front of all replicas; it serves first come, first served.

    A request is refused (503) at once when the queue is full, and after the wait limit when it is still waiting.
    Replicas share the queue, so none is idle while a request waits: the best that any load balancing can do.
    """

    def __init__(self, clock: Clock, scenario: Scenario, fleet: Fleet, limits: Queue) -> None:
        self._clock, self._scenario, self._fleet, self._limits = clock, scenario, fleet, limits
        self._queue: deque[Held] = deque()
        self.waits_s: list[float] = []
        """From arrival to the start of the computation that answered, of each answered request."""
        self.refused = self.timed_out = self.interrupted = self.cold = self.in_service = 0
        self.busy_s = 0.0
        self.on_activity: Callable[[], None] = lambda: None
        fleet.on_ready = self._dispatch
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
        held = Held(request)
        self._queue.append(held)
        self._dispatch()
        if held.attempt == 0:
            if len(self._queue) > self._limits.length:
                self._queue.remove(held)
                self.refused += 1
                return
            self._clock.after(self._limits.hold_s, self._give_up, held, held.attempt)
        self.on_activity()

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

    def _give_up(self, held: Held, attempt: int) -> None:
        if held.attempt == attempt:
            self._queue.remove(held)
            self.timed_out += 1

    def _retry(self, cut_off: list[Held]) -> None:
        for held in reversed(cut_off):
            held.attempt += 1
            self.in_service -= 1
            self.interrupted += 1
            self._queue.appendleft(held)
            self._clock.after(self._limits.hold_s, self._give_up, held, held.attempt)
        self._dispatch()
