"""The GPU node pools of a model and their cluster autoscaler."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from stacks.settings.estimates.cold_start import NEXT_POOL_MINUTES

from .assumptions import Assumptions
from .capacity import Attempts, Capacity
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
    place: int = 0
    """Place of its pool in the order of the model's pools."""


GIVE_UP_S = NEXT_POOL_MINUTES * 60.0
BACK_OFF_S = 300.0
"""How long a pool that gave no node is left alone (cluster-autoscaler, --initial-node-group-backoff-duration)."""


class NodePool:
    """Adds nodes for replicas that fit nowhere, removes nodes that stay empty, loses nodes that Azure takes back.

    Of several pools the first that gives a node is taken, and while replicas run on a later one, a node of the first
    is asked for again and again.
    """

    def __init__(self, clock: Clock, scenario: Scenario, assumptions: Assumptions, seed: int) -> None:
        self._clock, self._scenario = clock, scenario
        self._autoscaler, self._start = assumptions.cluster_autoscaler, assumptions.start
        self._random = Random(f"{seed} nodes")  # noqa: S311 - a simulation has to be repeatable
        self._pools = scenario.pools
        self._capacity = [Capacity(pool, f"{seed} {place}") for place, pool in enumerate(self._pools)]
        self._attempts = [Attempts(GIVE_UP_S, BACK_OFF_S) for _ in self._pools]
        self._asked_back = False
        self._last_added_s = float("-inf")
        self._scanning = False
        self.history: list[Node] = []
        self.nodes: list[Node] = []
        self.pending: Callable[[], int] = lambda: 0
        """How many replicas fit nowhere."""
        self.on_ready: Callable[[], None] = lambda: None
        self.on_evicted: Callable[[Node], None] = lambda _: None
        self.on_room: Callable[[], None] = lambda: None
        """There is a node of the first pool for a replica that runs on a later one."""

    def start_with(self, count: int) -> None:
        """Put so many nodes of the first pool there, ready, at the beginning."""
        for _ in range(count):
            self._ready(self._create())

    def take_slot(self) -> Node | None:
        """Return a ready node with a slot for a replica, which is taken, or None."""
        with_room = [node for node in self.nodes if node.ready and node.free_slots]
        node = min(with_room, key=lambda node: node.place, default=None)
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
        for place, pool in enumerate(self._pools):
            missing = pool.min_nodes - self._count(place)
            for _ in range(max(missing, self._to_add(place))):
                if not self._order(place):
                    return

    def _to_add(self, place: int) -> int:
        """Return how many nodes of a pool the replicas that fit nowhere ask for."""
        pool = self._pools[place]
        free = sum(node.free_slots for node in self.nodes)
        if self._clock.now_s < self._attempts[place].blocked_until_s:
            self._look_again(place)
            return 0
        return nodes_to_add(self.pending(), free, pool.slots_per_node, self._count(place), pool.max_nodes)

    def _order(self, place: int) -> bool:
        """Order one node; tell whether it will come. Azure does not say that it has none."""
        if not self._capacity[place].at(self._clock.now_s):
            self._attempts[place].failed(self._clock.now_s)
            self._look_again(place)
            return False
        self._last_added_s = self._clock.now_s
        node = self._create(place)
        spread = self._start.node_ready_spread * self._random.uniform(-1, 1)
        self._clock.after(self._start.node_ready_s * (1 + spread), self._ready, node)
        return True

    def _look_again(self, place: int) -> None:
        attempts, now = self._attempts[place], self._clock.now_s
        due = attempts.waits_until_s if now < attempts.waits_until_s else attempts.blocked_until_s
        self._clock.at(due, self.ask)

    def _count(self, place: int) -> int:
        return sum(node.place == place for node in self.nodes)

    def _create(self, place: int = 0) -> Node:
        pool = self._pools[place]
        node = Node(self._clock.now_s, pool.slots_per_node, empty_since_s=self._clock.now_s, place=place)
        self.history.append(node)
        self.nodes.append(node)
        if rate := pool.evictions_per_node_hour:
            self._clock.after(self._random.expovariate(rate / 3600), self._evict, node)
        if place and not self._asked_back:
            self._asked_back = True
            self._clock.after(self._scenario.return_s, self._ask_back)
        return node

    def _ask_back(self) -> None:
        """Order a node of the first pool for what runs on a later one."""
        self._asked_back = False
        if not any(node.place for node in self.nodes):
            return
        first = [node for node in self.nodes if node.place == 0]
        room = any(node.free_slots for node in first) or len(first) >= self._pools[0].max_nodes
        if not room and self._capacity[0].at(self._clock.now_s):
            self._order(0)
        self._asked_back = True
        self._clock.after(self._scenario.return_s, self._ask_back)

    def _ready(self, node: Node) -> None:
        if node.removed_s is None:
            node.ready = True
            node.empty_since_s = self._clock.now_s
            self.on_ready()
            if node.place == 0 and node.free_slots and any(other.place for other in self.nodes):
                self.on_room()
            self._consider_removal(node)

    def _empty(self, node: Node) -> bool:
        return node.ready and node.free_slots == self._pools[node.place].slots_per_node

    def _consider_removal(self, node: Node) -> None:
        if self._empty(node):
            due = max(removable_at(node.empty_since_s, self._last_added_s, self._autoscaler), self._clock.now_s)
            self._clock.at(next_tick(due, self._autoscaler.scan_interval_s), self._remove_if_empty, node)

    def _remove_if_empty(self, node: Node) -> None:
        if node.removed_s is not None or not self._empty(node):
            return
        if self._count(node.place) <= self._pools[node.place].min_nodes:
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
