"""The scaling simulation: nothing is lost, nothing is random but by seed, and known results come out."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import factorial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.lab.simulation.assumptions import Assumptions
from scripts.lab.simulation.events import Clock
from scripts.lab.simulation.outcome import Outcome, percentile
from scripts.lab.simulation.policies import Policy, hours_of
from scripts.lab.simulation.run import simulate
from scripts.lab.simulation.scenario import PoolTerms, Scenario
from scripts.lab.simulation.sources import load
from scripts.lab.simulation.traffic import DAY_S, HOUR_S, Request, generate
from stacks.settings.serving import WarmHours

pytestmark = pytest.mark.slow

BASE = Scenario(
    model="m",
    vm_size="Standard_NC4as_T4_v3",
    usd_per_node_hour=0.5,
    gpus_per_node=1,
    slots_per_node=1,
    min_nodes=0,
    max_nodes=3,
    min_replicas=0,
    max_replicas=3,
    cooldown_s=900,
    hold_s=900,
    answer_s=600,
    most_requests=50,
    warm=hours_of(WarmHours()),
    concurrency=4,
    concurrency_target=1000,
    waiting_target=5,
    service_s=lambda request: request.answer_tokens / 10,
    image_pull_s=100,
    load_s=50,
    evictions_per_node_hour=0,
)


def assumed(**changes: Any) -> Assumptions:
    """Return the assumptions with node times that do not vary, and what else a test wants."""
    return load([{"start": {"node_ready_spread": 0}}, changes])[0]


EXACT = assumed()


def at(*moments: float, tokens: int = 100) -> list[Request]:
    return [Request(moment, 1, tokens) for moment in moments]


def play(requests: Sequence[Request], policy: Policy = Policy.SCALE_TO_ZERO, **changes: Any) -> Outcome:
    return simulate(requests, replace(BASE, **changes), EXACT, policy, until_s=DAY_S)


@cache
def office() -> tuple[Request, ...]:
    return tuple(generate("office-hours", 1500, 7, EXACT.traffic, seed=3))


def test_a_request_that_wakes_a_model_waits_for_push_node_image_and_weights() -> None:
    outcome = play(at(1000))
    # 0.7 s until KEDA hears of it, the scan at 1010, 300 s for the node, 100 s for the image, 50 s for the weights.
    assert list(outcome.waits_s) == pytest.approx([10 + 300 + 100 + 50])
    assert (outcome.cold_starts, outcome.cold_requests) == (1, 1)


def test_a_woken_model_s_node_is_paid_from_the_scan_to_its_removal() -> None:
    outcome = play(at(1000))
    # Answered at 1470. 900 s of cooldown end at 2370; the poll after that, at 2385, ends the replica. The node is
    # empty from then on and goes with the first scan after 600 s, at 2990.
    assert outcome.node_intervals_s == ((1010, 2990),)
    assert outcome.gpu_hours == pytest.approx(1980 / 3600)
    assert outcome.cost_usd == pytest.approx(0.5 * 1980 / 3600)


def test_an_engine_that_never_starts_is_given_up_and_its_node_goes() -> None:
    """By the fallback of its ScaledObject: what cannot be measured counts as nobody asking, once nobody waits."""
    outcome = play(at(1000), load_s=10 * DAY_S)
    assert (outcome.served, outcome.timed_out, outcome.cold_starts) == (0, 1, 1)
    # The caller waits until 1900. 900 s of cooldown end at 2800; the poll at 2805 or the one before it ends the
    # replica, and the empty node goes with a scan after 600 s.
    ((begun, ended),) = outcome.node_intervals_s
    assert begun == 1010
    assert ended == pytest.approx(2800 + 600, abs=30)
    again = play(at(1000, 20_000), load_s=10 * DAY_S)
    assert (again.timed_out, again.cold_starts, len(again.node_intervals_s)) == (2, 2, 2)


def test_a_node_that_is_still_there_spares_boot_and_image() -> None:
    outcome = play(at(1000, 2705))
    assert outcome.cold_starts == 2
    assert outcome.waits_s[1] == pytest.approx(0.7 + 50)
    assert len(outcome.node_intervals_s) == 1


def test_a_loaded_model_answers_at_once() -> None:
    outcome = play(at(1000, 1001, 1002), Policy.ALWAYS_ON)
    assert outcome.waits_s == (0, 0, 0)
    assert outcome.gpu_hours == 24
    assert outcome.busy_share == pytest.approx(3 * 10 / (DAY_S * 4))


def test_a_suspended_model_is_not_woken_and_its_requests_get_503_after_the_wait_limit() -> None:
    outcome = play(at(HOUR_S), Policy.SUSPENDED)
    assert (outcome.timed_out, outcome.served, outcome.cold_starts) == (1, 0, 0)
    shortly_before_work = play(at(8 * HOUR_S - 200), Policy.SUSPENDED)
    assert shortly_before_work.served == 1


def test_a_scheduled_model_is_loaded_for_work_and_woken_before_and_after() -> None:
    outcome = play(at(HOUR_S, 9 * HOUR_S, 17.9 * HOUR_S, 20 * HOUR_S), Policy.SCHEDULED)
    assert outcome.served == 4
    assert outcome.cold_starts == 2
    assert outcome.cold_requests == 2


def test_the_cooldown_begins_with_the_end_of_the_warm_hours() -> None:
    outcome = play([], Policy.SCHEDULED)
    ((_, removed_s),) = outcome.node_intervals_s
    assert removed_s == pytest.approx(18 * HOUR_S + 900 + 600, abs=45)


def test_requests_beyond_the_limit_are_refused_at_once() -> None:
    outcome = play(at(*range(1000, 1150)))
    assert (outcome.refused, outcome.timed_out, outcome.served) == (100, 0, 50)


def test_a_request_whose_turn_does_not_come_in_time_is_refused_later() -> None:
    outcome = play(at(*[1000.0] * 12, tokens=5000), Policy.ALWAYS_ON, max_replicas=1)
    # Four at a time, 500 s each: the third four would wait 1000 s.
    assert (outcome.served, outcome.timed_out) == (8, 4)
    assert max(outcome.waits_s) == 500


def test_waiting_for_an_engine_and_waiting_for_a_turn_are_limited_apart() -> None:
    # The first four wait 460 s for the engine, the next four 500 s more for their turn: 960 s, more than either limit.
    outcome = play(at(*[1000.0] * 8, tokens=5000), max_replicas=1)
    assert sorted(outcome.waits_s) == [460] * 4 + [960] * 4
    impatient = play(at(1000), hold_s=450.0)
    assert (impatient.served, impatient.timed_out) == (0, 1)


def test_load_brings_replicas_up_to_the_limit_and_no_further() -> None:
    requests = at(*(1000 + second / 2 for second in range(4000)))
    most = [play(requests, Policy.ALWAYS_ON, max_replicas=limit) for limit in (1, 2, 3)]
    assert [len(outcome.node_intervals_s) for outcome in most] == [1, 2, 3]
    assert most[0].served < most[1].served < most[2].served
    assert len(play(requests, Policy.ALWAYS_ON, max_nodes=2).node_intervals_s) == 2


def test_ollama_gets_replicas_by_requests_held_and_served() -> None:
    requests = at(*[1000.0] * 9, tokens=5000)
    changed = {"waiting_target": None, "concurrency_target": 4, "concurrency": 1}
    outcome = play(requests, Policy.ALWAYS_ON, **changed)
    assert len(outcome.node_intervals_s) == 3
    assert len(play(requests[:4], Policy.ALWAYS_ON, **changed).node_intervals_s) == 1


def test_a_replica_more_than_needed_stays_for_the_stabilization_window() -> None:
    requests = at(*[1000.0] * 40, tokens=3000)
    short, long = (play(requests, Policy.ALWAYS_ON, cooldown_s=seconds) for seconds in (900.0, 3000.0))
    assert long.gpu_hours - short.gpu_hours > 2000 / 3600


def test_a_replica_that_goes_lets_its_answers_end() -> None:
    # The schedule suspends the model a minute after the request came; the answer takes two.
    requests = at(18 * HOUR_S - 60, tokens=1200)
    outcome = play(requests, Policy.SUSPENDED)
    assert (outcome.served, outcome.interrupted) == (1, 0)
    cut = simulate(requests, BASE, assumed(queue={"termination_grace_s": 30}), Policy.SUSPENDED, until_s=DAY_S)
    assert (cut.served, cut.interrupted, cut.timed_out) == (0, 1, 1)


def test_a_lost_node_s_requests_are_tried_again() -> None:
    requests = at(*range(0, DAY_S, 60), tokens=600)
    outcome = play(requests, Policy.ALWAYS_ON, evictions_per_node_hour=0.5)
    assert outcome.interrupted > 0
    assert outcome.cold_requests > 0
    assert outcome.served + outcome.refused + outcome.timed_out == len(requests)
    assert len(outcome.node_intervals_s) > 5


def test_the_same_seed_gives_the_same_and_another_seed_another_result() -> None:
    scenario, varied = replace(BASE, evictions_per_node_hour=0.05), load()[0]
    first, again, other = (simulate(office(), scenario, varied, Policy.SCALE_TO_ZERO, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.waits_s != other.waits_s


def test_longer_idle_time_means_fewer_cold_starts_and_more_gpu_hours() -> None:
    outcomes = [play_week(cooldown_s=minutes * 60.0) for minutes in (5, 15, 60, 240)]
    cold, hours = [o.cold_starts for o in outcomes], [o.gpu_hours for o in outcomes]
    assert cold == sorted(cold, reverse=True)
    assert cold[0] > cold[-1]
    assert hours == sorted(hours)
    assert hours[0] < hours[-1]


def play_week(policy: Policy = Policy.SCALE_TO_ZERO, **changes: Any) -> Outcome:
    return simulate(office(), replace(BASE, **changes), EXACT, policy, until_s=7 * DAY_S)


def test_policies_trade_gpu_hours_for_waits() -> None:
    always, scheduled, suspended, zero = (play_week(policy) for policy in Policy)
    assert (always.cold_starts, always.cold_requests) == (0, 0)
    assert zero.gpu_hours < always.gpu_hours
    assert suspended.gpu_hours < scheduled.gpu_hours < always.gpu_hours
    assert always.slow_share(30) < scheduled.slow_share(30) < zero.slow_share(30)
    assert suspended.timed_out > 0


def erlang_c_wait_s(arrivals_per_s: float, service_s: float, servers: int) -> float:
    """Return the mean wait in an M/M/c queue (Erlang C)."""
    load = arrivals_per_s * service_s
    terms = sum(load**k / factorial(k) for k in range(servers))
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (terms + last) * service_s / (servers - load)


@pytest.mark.parametrize(("servers", "utilization"), [(1, 0.5), (2, 0.7), (4, 0.8)])
def test_waits_are_those_of_queueing_theory(servers: int, utilization: float) -> None:
    random, mean_s = Random(11), 2.0
    rate, now, requests = utilization * servers / mean_s, 0.0, []
    for _ in range(40_000):
        now += random.expovariate(rate)
        requests.append(Request(now, 1, round(random.expovariate(1 / mean_s) * 1e6)))
    scenario = replace(
        BASE,
        concurrency=servers,
        max_replicas=1,
        most_requests=10**9,
        answer_s=1e9,
        service_s=lambda request: request.answer_tokens / 1e6,
    )
    outcome = simulate(requests, scenario, EXACT, Policy.ALWAYS_ON)
    mean_wait_s = sum(outcome.waits_s) / outcome.served
    assert outcome.served == len(requests)
    assert mean_wait_s == pytest.approx(erlang_c_wait_s(rate, mean_s, servers), rel=0.08)


ARRIVALS = st.lists(st.builds(Request, st.floats(0, DAY_S), st.integers(1, 4000), st.integers(1, 8000)), max_size=60)


@settings(max_examples=40, deadline=None)
@given(
    requests=ARRIVALS,
    policy=st.sampled_from(Policy),
    limits=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 1), st.integers(1, 3)),
    evictions=st.sampled_from([0.0, 0.3, 3.0]),
    waiting=st.fixed_dictionaries(
        {"hold_s": st.floats(1, 3000), "answer_s": st.floats(1, 3000), "most_requests": st.integers(0, 20)}
    ),
    grace_s=st.sampled_from([0, 600]),
    seed=st.integers(0, 3),
)
def test_every_request_is_answered_or_refused_whatever_happens(  # noqa: PLR0917 - hypothesis passes them by name
    requests: list[Request],
    policy: Policy,
    limits: tuple[int, int, int, int],
    evictions: float,
    waiting: dict[str, Any],
    grace_s: int,
    seed: int,
) -> None:
    max_nodes, max_replicas, min_nodes, slots = limits
    scenario = replace(
        BASE,
        slots_per_node=slots,
        max_nodes=max_nodes,
        max_replicas=max_replicas,
        min_nodes=min_nodes,
        evictions_per_node_hour=evictions,
        **waiting,
    )
    assumptions = assumed(queue={"termination_grace_s": grace_s})
    outcome = simulate(requests, scenario, assumptions, policy, seed=seed, until_s=DAY_S)
    assert outcome.served + outcome.refused + outcome.timed_out == outcome.arrivals == len(requests)
    assert all(wait >= 0 for wait in outcome.waits_s)
    if not outcome.interrupted:
        assert all(wait <= waiting["hold_s"] + waiting["answer_s"] + 1e-6 for wait in outcome.waits_s)
    assert 0 <= outcome.gpu_hours <= 24 * max_nodes + 1e-6
    assert 0 <= outcome.busy_share <= 1


def test_simulated_time_never_goes_back() -> None:
    clock = Clock()
    clock.at(5, lambda: clock.at(3, lambda: None))
    with pytest.raises(ValueError, match="is before"):
        clock.run(lambda: False)


def test_percentiles_are_values_that_occurred() -> None:
    assert [percentile([4, 1, 3, 2], share) for share in (0.0, 0.25, 0.5, 0.95)] == [1, 1, 2, 4]
    assert percentile([], 0.5) == 0


REGULAR = PoolTerms(
    usd_per_node_hour=2.0,
    gpus_per_node=1,
    slots_per_node=1,
    min_nodes=0,
    max_nodes=1,
    evictions_per_node_hour=0,
)
WITHOUT_SPOT: dict[str, Any] = {"gaps_per_hour": 1e6, "gap_hours": 1e6}
"""From the first moment on, for longer than any trace."""


def test_without_spot_capacity_a_second_pool_answers_after_eight_minutes_more_and_costs_its_price() -> None:
    alone = play(at(1000), **WITHOUT_SPOT)
    assert (alone.served, alone.timed_out, alone.gpu_hours) == (0, 1, 0)
    # 10 s until the scan, 8 minutes until the first pool is given up, then as from zero.
    both = play(at(1000), **WITHOUT_SPOT, later=(REGULAR,), hold_s=1200)
    assert both.served == 1
    assert both.waits_s[0] == pytest.approx(play(at(1000)).waits_s[0] + 480, abs=20)
    assert both.later_node_hours == both.gpu_hours > 0
    assert both.cost_usd == pytest.approx(2.0 * both.gpu_hours)


def test_with_spot_capacity_a_second_pool_changes_nothing() -> None:
    requests = generate("office-hours", 300, 7, EXACT.traffic, seed=0)
    assert play(requests, later=(REGULAR,)) == play(requests)


def test_a_replica_of_a_later_pool_goes_back_when_the_first_has_a_node_again() -> None:
    scenario = replace(
        BASE, gaps_per_hour=0.5, gap_hours=2.0, evictions_per_node_hour=0.2, later=(REGULAR,), max_replicas=1
    )
    often, seldom = (
        simulate([], replace(scenario, return_s=each), EXACT, Policy.ALWAYS_ON, until_s=7 * DAY_S)
        for each in (900.0, 24 * HOUR_S)
    )
    assert 0 < often.later_node_hours < seldom.later_node_hours
    assert often.cost_usd < seldom.cost_usd
