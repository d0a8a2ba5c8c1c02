"""The GPU node pool and its cluster autoscaler."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .assumptions import Assumptions
from .events import Clock
from .formulas import next_tick, nodes_to_add, removable_at
from .scenario import Scenario


@dataclass(eq=False, slots=True)
class Node:
    """One GPU node; it is paid for from its creation to its removal."""

    created_s: float
    free_slots: int
    ready: bool = False
    has_image: bool = False
    empty_since_s: float = 0.0
    removed_s: float | None = None


class NodePool:
    """Adds nodes for replicas that fit nowhere, removes nodes that stay empty, loses nodes that Azure takes back."""

    def __init__(self, clock: Clock, scenario: Scenario, assumptions: Assumptions, seed: int) -> None:
        self._clock, self._scenario = clock, scenario
        self._autoscaler, self._start = assumptions.cluster_autoscaler, assumptions.start
        self._random = Random(f"{seed} nodes")  # noqa: S311 - a simulation has to be repeatable
        self._last_added_s = float("-inf")
        self._scanning = False
        self.history: list[Node] = []
        self.nodes: list[Node] = []
        self.pending: Callable[[], int] = lambda: 0
        """How many replicas fit nowhere."""
        self.on_ready: Callable[[], None] = lambda: None
        self.on_evicted: Callable[[Node], None] = lambda _: None

    def start_with(self, count: int) -> None:
        """Put so many nodes there, ready, at the beginning."""
        for _ in range(count):
            self._ready(self._create())

    def take_slot(self) -> Node | None:
        """Return a ready node with a slot for a replica, which is taken, or None."""
        node = next((node for node in self.nodes if node.ready and node.free_slots), None)
        if node is not None:
            node.free_slots -= 1
        return node

    def free_slot(self, node: Node) -> None:
        """Give a replica's slot back."""
        node.free_slots += 1
        if node.removed_s is None and self._empty(node):
            node.empty_since_s = self._clock.now_s
            self._consider_removal(node)

    def ask(self) -> None:
        """Let the next scan of the cluster autoscaler see that replicas are pending."""
        if not self._scanning:
            self._scanning = True
            self._clock.at(next_tick(self._clock.now_s, self._autoscaler.scan_interval_s), self._scan)

    def _scan(self) -> None:
        self._scanning = False
        free = sum(node.free_slots for node in self.nodes)
        limits = self._scenario.slots_per_node, len(self.nodes), self._scenario.max_nodes
        missing = self._scenario.min_nodes - len(self.nodes)
        for _ in range(max(missing, nodes_to_add(self.pending(), free, *limits))):
            self._last_added_s = self._clock.now_s
            node = self._create()
            spread = self._start.node_ready_spread * self._random.uniform(-1, 1)
            self._clock.after(self._start.node_ready_s * (1 + spread), self._ready, node)

    def _create(self) -> Node:
        node = Node(self._clock.now_s, self._scenario.slots_per_node, empty_since_s=self._clock.now_s)
        self.history.append(node)
        self.nodes.append(node)
        if rate := self._scenario.evictions_per_node_hour:
            self._clock.after(self._random.expovariate(rate / 3600), self._evict, node)
        return node

    def _ready(self, node: Node) -> None:
        if node.removed_s is None:
            node.ready = True
            node.empty_since_s = self._clock.now_s
            self.on_ready()
            self._consider_removal(node)

    def _empty(self, node: Node) -> bool:
        return node.ready and node.free_slots == self._scenario.slots_per_node

    def _consider_removal(self, node: Node) -> None:
        if self._empty(node):
            due = max(removable_at(node.empty_since_s, self._last_added_s, self._autoscaler), self._clock.now_s)
            self._clock.at(next_tick(due, self._autoscaler.scan_interval_s), self._remove_if_empty, node)

    def _remove_if_empty(self, node: Node) -> None:
        if node.removed_s is not None or not self._empty(node) or len(self.nodes) <= self._scenario.min_nodes:
            return
        if removable_at(node.empty_since_s, self._last_added_s, self._autoscaler) > self._clock.now_s:
            self._consider_removal(node)
        else:
            self._remove(node)

    def _evict(self, node: Node) -> None:
        if node.removed_s is None:
            self._remove(node)
            self.on_evicted(node)
            self.ask()

    def _remove(self, node: Node) -> None:
        node.removed_s = self._clock.now_s
        self.nodes.remove(node)
