"""What the synthesis benchmark finds, and the promises that it is judged by."""

from dataclasses import dataclass

from stacks.fast_bindings import Mode

FLOOR = "floor"
"""An application with one empty stack and no binding: what jsii and cdktf cost by themselves."""
TIMING_NOISE_S = 0.02


@dataclass(frozen=True)
class Variant:
    """Median figures of one way to synthesize."""

    wall_s: float
    fastest_s: float
    slowest_s: float
    cpu_s: float
    largest_mib: float
    total_mib: float


@dataclass(frozen=True)
class Step:
    """Figures of the application at one size; `seconds` is its fastest synthesis, without start and imports."""

    items: int
    resources: int
    seconds: float


@dataclass(frozen=True)
class Target:
    """A promise about the figures."""

    promise: str
    value: float
    met: bool


@dataclass(frozen=True)
class Figures:
    """Everything that one benchmark run found."""

    machine: dict[str, str]
    environment: str
    runs: int
    variants: dict[str, Variant]
    pools: list[Step]
    models: list[Step]

    def targets(self) -> list[Target]:
        """Judge the figures by the promises in docs/reference/performance.md."""
        shipped, lazy, floor = (self.variants[name] for name in (Mode.AS_SHIPPED, Mode.LAZY, FLOOR))
        speed, over_floor = shipped.wall_s / lazy.wall_s, lazy.wall_s / floor.wall_s
        memory = lazy.total_mib / shipped.total_mib
        return [
            Target("at least 12 times faster than as shipped", speed, speed >= 12),
            Target("at most 2.5 times the floor", over_floor, over_floor <= 2.5),
            Target("at most a third of the memory as shipped", memory, memory <= 1 / 3),
            growth_target("GPU pool", self.pools),
            growth_target("model", self.models),
        ]


def added_resources(steps: list[Step]) -> bool:
    """Tell whether the items that were added brought resources with them."""
    return steps[-1].resources > steps[0].resources


def cost_ms(before: Step, after: Step) -> float:
    """Return milliseconds for each added resource, or for each added item where those add no resource."""
    added = (after.resources - before.resources) or (after.items - before.items)
    return (after.seconds - before.seconds) * 1000 / added


def growth_target(item: str, steps: list[Step]) -> Target:
    """Judge whether each of the last items costs what each of the first did, within a quarter.

    A difference that timing noise explains (20 ms over all of the last items) is not held against it.
    """
    lowest, middle, highest = steps
    early, late = cost_ms(lowest, middle), cost_ms(middle, highest)
    excess_s = (highest.seconds - middle.seconds) * (1 - 1.25 * early / late) if late > 0 else 0.0
    promise = f"cost of one more {item} near {highest.items}, at most 1.25 times that near {lowest.items}"
    return Target(promise, late / early, excess_s <= TIMING_NOISE_S)
