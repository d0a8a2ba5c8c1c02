"""The replicas of a model: pods that wait for a node, load, serve, drain."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .events import Clock
from .nodes import Node, NodePool
from .scenario import Scenario
from .traffic import Request


@dataclass(eq=False, slots=True)
class Held:
    """A request that is neither answered nor refused yet."""

    request: Request
    attempt: int = 0
    """Counts up when its computation begins and when it is cut off, which makes older timers void."""
    forwarded: bool = False
    """Whether an engine was there to take it in."""


class Phase(Enum):
    """Where a pod is in its life."""

    PENDING = 0
    LOADING = 1
    READY = 2
    DRAINING = 3
    GONE = 4


@dataclass(eq=False, slots=True)
class Pod:
    """One replica; a draining one finishes what it has and takes nothing new."""

    phase: Phase = Phase.PENDING
    node: Node | None = None
    serving: dict[Held, None] = field(default_factory=dict)
    """What it computes, in the order of starts."""


class Fleet:
    """All replicas of the model; it makes their number what the autoscalers ask for."""

    def __init__(self, clock: Clock, scenario: Scenario, pool: NodePool, grace_s: float) -> None:
        self._clock, self._scenario, self._pool, self._grace_s = clock, scenario, pool, grace_s
        self.pods: list[Pod] = []
        self.ready: list[Pod] = []
        self.on_ready: Callable[[], None] = lambda: None
        self.on_interrupted: Callable[[list[Held]], None] = lambda _: None
        self._draining: list[Pod] = []
        pool.pending = lambda: sum(pod.phase is Phase.PENDING for pod in self.pods)
        pool.on_ready = self._place
        pool.on_evicted = self._lose
        pool.on_room = self._move_back

    @property
    def replicas(self) -> int:
        """The replicas asked for; those that drain no longer count."""
        return len(self.pods)

    def start_with(self, count: int) -> None:
        """Put so many loaded replicas there at the beginning, on the nodes that are there."""
        for _ in range(count):
            pod = Pod(Phase.LOADING, self._pool.take_slot())
            if pod.node is None:
                raise ValueError("more replicas than slots")
            pod.node.has_image = True
            self.pods.append(pod)
            self._loaded(pod)

    def scale(self, replicas: int) -> None:
        """Add or remove pods until there are `replicas`; pods that serve least go first, as Kubernetes prefers."""
        while len(self.pods) > replicas:
            self._stop(min(reversed(self.pods), key=lambda pod: pod.phase.value))
        self.pods += [Pod() for _ in range(replicas - len(self.pods))]
        self._place()

    def released(self, pod: Pod) -> None:
        """Note that a pod finished a request."""
        if pod.phase is Phase.DRAINING and not pod.serving:
            self._end(pod)

    def _place(self) -> None:
        for pod in self.pods:
            if pod.phase is not Phase.PENDING:
                continue
            pod.node = self._pool.take_slot()
            if pod.node is None:
                self._pool.ask()
                return
            pod.phase = Phase.LOADING
            pull_s = 0.0 if pod.node.has_image else self._scenario.image_pull_s
            self._clock.after(pull_s, self._pulled, pod.node)
            self._clock.after(pull_s + self._scenario.load_s, self._loaded, pod)

    def _pulled(self, node: Node) -> None:
        node.has_image = True

    def _loaded(self, pod: Pod) -> None:
        if pod.phase is Phase.LOADING:
            pod.phase = Phase.READY
            self.ready.append(pod)
            self.on_ready()

    def _stop(self, pod: Pod) -> None:
        self.pods.remove(pod)
        if pod.phase is Phase.READY:
            self.ready.remove(pod)
        if pod.serving:
            pod.phase = Phase.DRAINING
            self._draining.append(pod)
            self._clock.after(self._grace_s, self._cut_off, pod)
        else:
            self._end(pod)

    def _cut_off(self, pod: Pod) -> None:
        if pod.phase is Phase.DRAINING:
            self._end(pod)

    def _end(self, pod: Pod) -> None:
        if pod.phase is Phase.DRAINING:
            self._draining.remove(pod)
        pod.phase = Phase.GONE
        if pod.node is not None:
            self._pool.free_slot(pod.node)
        interrupted = list(pod.serving)
        pod.serving.clear()
        if interrupted:
            self.on_interrupted(interrupted)

    def _move_back(self) -> None:
        """Put one replica of a later pool onto the first: its answers end first, and the new one loads meanwhile."""
        pod = next((pod for pod in self.ready if pod.node is not None and pod.node.place), None)
        if pod is not None:
            self._stop(pod)
            self.pods.append(Pod())
            self._place()

    def _lose(self, node: Node) -> None:
        lost = [pod for pod in self.pods if pod.node is node]
        self.pods = [pod for pod in self.pods if pod.node is not node] + [Pod() for _ in lost]
        self.ready = [pod for pod in self.ready if pod.node is not node]
        for pod in [*lost, *(pod for pod in self._draining if pod.node is node)]:
            self._end(pod)
        self._place()
