"""An environment's bill: every charge of every stack, priced, with totals and what differs from another one."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stacks.settings import Settings
from stacks.settings.estimates import capacity
from stacks.settings.models import Engine

from .amount import HOURS, Cost
from .charges import Charge, charges_of
from .prices import Prices


@dataclass(frozen=True)
class Line:
    """One line of the bill: charges of a stack that are of the same kind."""

    stack: str
    what: str
    cost: Cost
    count: int = 1


@dataclass(frozen=True)
class Estimate:
    """The bill of an environment."""

    environment: str
    lines: tuple[Line, ...]
    prices: Prices

    @property
    def total(self) -> Cost:
        """What has a price, together."""
        return total(self.lines)

    @property
    def unpriced(self) -> list[str]:
        """What has no price here, each thing once with its number."""
        return [named(line) for line in self.lines if not line.cost.known]

    def of_stack(self, stack: str) -> Cost:
        """Return what has a price in one stack."""
        return total(line for line in self.lines if line.stack == stack)


def total(lines: Iterable[Line]) -> Cost:
    """Return the sum of what has a price."""
    return sum((line.cost for line in lines if line.cost.known), Cost())


def named(line: Line) -> str:
    """Return a line's name, with its number where it is more than one."""
    return f"{line.count} x {line.what}" if line.count > 1 else line.what


def charges(stacks: Mapping[str, Path]) -> Iterator[tuple[str, Charge]]:
    """Yield what Azure bills of the synthesized stacks, by name and folder."""
    for stack, folder in stacks.items():
        content: dict[str, Any] = json.loads((folder / "cdk.tf.json").read_bytes())
        for type_, resources in content.get("resource", {}).items():
            for attributes in resources.values():
                for charge in charges_of(type_, attributes):
                    yield stack, charge


def with_kept_nodes(charge: Charge, kept: Mapping[str, int]) -> Charge:
    """Return the charge of a pool with at least the nodes that pods keep there, by the pool's name."""
    pool = charge.what.removeprefix("pool ").partition(":")[0]
    if not charge.what.startswith("pool "):
        return charge
    return replace(charge, low=min(max(charge.low, kept.get(pool, 0)), charge.high))


def kept_nodes(settings: Settings) -> dict[str, int]:
    """Return the nodes of each pool that never go: those of loaded models, and of the platform's own pods."""
    nodes: dict[str, float] = {}
    ollama: dict[str, float] = {}
    for model in settings.models:
        pool = settings.cluster.gpu_pools[model.first_pool]
        needed = model.min_replicas * model.gpus / (pool.known_size.gpus * pool.time_slices)
        if model.engine is Engine.OLLAMA:
            ollama[model.first_pool] = max(ollama.get(model.first_pool, 0), needed)
        else:
            nodes[model.first_pool] = nodes.get(model.first_pool, 0) + needed
    for name, needed in ollama.items():
        nodes[name] = nodes.get(name, 0) + needed
    return {name: math.ceil(needed) for name, needed in nodes.items()} | {"workload": capacity.nodes(settings) or 0}


def with_spill_over(charge: Charge, settings: Settings) -> Charge:
    """Return the charge of a pool that is only ever a later one for as many nodes as the budget of node hours lets be.

    Of several such pools each has the whole budget here; together they never reach it more than once.
    """
    pool = charge.what.removeprefix("pool ").partition(":")[0]
    hours = settings.serving.spill_over.node_hours_per_month
    later = {name for model in settings.models for name in model.later_pools}
    alone = later - {model.first_pool for model in settings.models} - {settings.opik.guardrails_pool}
    if hours is None or not charge.what.startswith("pool ") or pool not in alone or charge.low:
        return charge
    return replace(charge, high=min(charge.high, hours / HOURS))


def with_gpu_hours(charge: Charge, hours: Mapping[str, float]) -> Charge:
    """Return the charge of a pool for as many node hours a month as `hours` gives it, by the pool's name."""
    pool = charge.what.removeprefix("pool ").partition(":")[0]
    if not charge.what.startswith("pool ") or pool not in hours:
        return charge
    nodes = hours[pool] / HOURS
    return replace(charge, low=nodes, high=nodes)


def with_off_hours(charge: Charge, share: float) -> Charge:
    """Return the charge of nodes and API for the share of the time in which the cluster runs."""
    if not charge.what.startswith(("pool ", "Kubernetes API")):
        return charge
    return replace(charge, low=charge.low * share, high=charge.high * share)


def estimate(environment: str, found: Iterable[tuple[str, Charge]], prices: Prices) -> Estimate:
    """Price the charges; equal ones of a stack become one line."""
    grouped: dict[tuple[str, str], list[Cost]] = {}
    for stack, charge in found:
        grouped.setdefault((stack, charge.what), []).append(prices.cost(charge))
    lines = (Line(stack, what, sum(costs, Cost()), len(costs)) for (stack, what), costs in grouped.items())
    return Estimate(environment, tuple(lines), prices)


@dataclass(frozen=True)
class Difference:
    """What one line costs in two bills."""

    stack: str
    what: str
    before: Cost
    after: Cost


def differences(before: Estimate, after: Estimate) -> list[Difference]:
    """Return the lines that are not the same in both, in the order of the later bill."""
    one = {(line.stack, named(line)): line.cost for line in before.lines}
    other = {(line.stack, named(line)): line.cost for line in after.lines}
    return [
        Difference(*key, one.get(key, Cost()), other.get(key, Cost()))
        for key in dict.fromkeys([*other, *one])
        if one.get(key) != other.get(key)
    ]
