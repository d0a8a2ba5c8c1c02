"""Plays a policy on a trace."""

from collections.abc import Sequence
from math import ceil

from .assumptions import Assumptions
from .autoscaler import Autoscaler
from .events import Clock
from .nodes import NodePool
from .outcome import Outcome
from .pods import Fleet
from .policies import Policy, floor
from .scenario import Scenario
from .serving import Front
from .traffic import DAY_S, Request


def horizon_s(requests: Sequence[Request]) -> float:
    """Return the length of a trace: whole days up to the last arrival, at least one."""
    return max(1, ceil(max((request.arrival_s for request in requests), default=0) / DAY_S)) * DAY_S


def simulate(
    requests: Sequence[Request],
    scenario: Scenario,
    assumptions: Assumptions,
    policy: Policy,
    *,
    seed: int = 0,
    until_s: float | None = None,
) -> Outcome:
    """Return what happens to the requests under a policy.

    It begins with the replicas that the policy keeps at Monday 00:00 loaded. Costs are counted up to `until_s`, by
    default the trace's `horizon_s`; requests that are under way then are still followed to their end.
    """
    end_s = until_s if until_s is not None else horizon_s(requests)
    clock = Clock()
    pool = NodePool(clock, scenario, assumptions, seed)
    fleet = Fleet(clock, scenario, pool, assumptions.queue.termination_grace_s)
    front = Front(clock, scenario, fleet)
    autoscaler = Autoscaler(clock, scenario, assumptions, policy=policy, fleet=fleet, front=front)
    loaded = floor(policy, scenario.min_replicas, scenario.warm, 0.0) or 0
    loaded = min(loaded, scenario.max_nodes * scenario.slots_per_node)
    pool.start_with(max(scenario.min_nodes, ceil(loaded / scenario.slots_per_node)))
    fleet.start_with(loaded)
    for request in requests:
        clock.at(request.arrival_s, front.arrive, request)
    clock.run(lambda: clock.now_s >= end_s and front.concurrency == 0)
    there = [node for node in pool.history if node.created_s < end_s]
    intervals = [(node.created_s, min(end_s, end_s if node.removed_s is None else node.removed_s)) for node in there]
    hours = [
        sum(removed - created for node, (created, removed) in zip(there, intervals, strict=True) if node.place == place)
        / 3600
        for place in range(len(scenario.pools))
    ]
    slot_hours = sum(each * terms.slots_per_node for each, terms in zip(hours, scenario.pools, strict=True))
    capacity_s = slot_hours * 3600 * scenario.concurrency
    return Outcome(
        policy=policy,
        days=end_s / DAY_S,
        arrivals=len(requests),
        waits_s=tuple(front.waits_s),
        refused=front.refused,
        timed_out=front.timed_out,
        interrupted=front.interrupted,
        cold_starts=autoscaler.cold_starts,
        cold_requests=front.cold,
        node_intervals_s=tuple(intervals),
        gpu_hours=sum(each * terms.gpus_per_node for each, terms in zip(hours, scenario.pools, strict=True)),
        cost_usd=sum(each * terms.usd_per_node_hour for each, terms in zip(hours, scenario.pools, strict=True)),
        later_node_hours=sum(hours[1:]),
        busy_share=min(1.0, front.busy_s / capacity_s) if capacity_s else 0.0,
    )
