"""The autoscalers' rules, against cases worked out by hand from their documentation."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.lab.simulation.formulas import (
    active,
    cooled_down,
    desired_replicas,
    desired_replicas_by_value,
    next_tick,
    nodes_to_add,
    removable_at,
    stabilized,
    within_policy,
)
from scripts.lab.simulation.policies import Policy, floor, hours_of
from scripts.lab.simulation.sources import load
from scripts.lab.simulation.traffic import DAY_S, HOUR_S
from stacks.settings.serving import WarmHours

ASSUMED, _ = load()
WARM = hours_of(WarmHours())


@pytest.mark.parametrize(
    ("metric", "target", "replicas", "wanted"),
    [
        (10, 5, 1, 2),  # twice the target
        (11, 5, 1, 3),  # 2.2, rounded up
        (10.9, 5, 2, 2),  # 9 % above what two replicas should have: tolerated
        (11.1, 5, 2, 3),  # 11 % above
        (9.1, 5, 2, 2),  # 9 % below: tolerated, although ceil(9.1 / 5) is 2 as well
        (13.6, 5, 3, 3),  # 9.3 % below three: kept, and not by rounding alone
        (0, 5, 3, 0),  # nothing to do: the minimum decides
        (40, 4, 0, 10),
    ],
)
def test_the_pod_autoscaler_wants_the_metric_by_its_target_unless_within_tolerance(
    metric: float, target: float, replicas: int, wanted: int
) -> None:
    assert desired_replicas(metric, target, replicas, tolerance=0.1) == wanted


def test_tolerance_keeps_replicas_that_rounding_would_remove() -> None:
    assert desired_replicas(10.5, 5, 2, tolerance=0.1) == 2
    assert desired_replicas(10.5, 5, 2, tolerance=0.0) == 3


@given(st.floats(0, 1e4, allow_subnormal=False), st.floats(0.1, 100), st.integers(0, 50))
def test_wanted_replicas_bring_the_metric_to_the_target_or_within_tolerance(
    metric: float, target: float, replicas: int
) -> None:
    wanted = desired_replicas(metric, target, replicas, tolerance=0.1)
    assert wanted * target >= metric * (1 - 1e-9) or metric <= 1.1 * target * replicas * (1 + 1e-9)
    assert wanted in {replicas, ceil(metric / target)}


def test_a_metric_that_one_replica_tells_counts_for_all_that_are_ready() -> None:
    assert desired_replicas_by_value(10, 5, replicas=2, ready=2, tolerance=0.1) == 4
    assert desired_replicas_by_value(10, 5, replicas=2, ready=1, tolerance=0.1) == 2, "the other one still loads"
    assert desired_replicas_by_value(5.4, 5, replicas=3, ready=2, tolerance=0.1) == 3
    assert desired_replicas_by_value(0, 5, replicas=2, ready=2, tolerance=0.1) == 0


def test_going_down_waits_until_the_highest_recommendation_has_left_its_window() -> None:
    assert stabilized(5, up_window=[1], down_window=[5, 2, 1]) == 5
    assert stabilized(5, up_window=[1], down_window=[3, 2, 1]) == 3
    assert stabilized(5, up_window=[1], down_window=[9, 2, 1]) == 5, "an old peak keeps what is there, it adds nothing"


def test_going_up_waits_until_the_lowest_recommendation_has_left_its_window() -> None:
    assert stabilized(1, up_window=[1, 4, 4], down_window=[1, 4, 4]) == 1
    assert stabilized(1, up_window=[2, 4], down_window=[1, 2, 4]) == 2


def test_a_policy_of_one_pod_a_minute_counts_what_it_did_in_that_minute() -> None:
    assert within_policy(5, replicas=1, added=0, removed=0, pods_per_period=1) == 2
    assert within_policy(5, replicas=2, added=1, removed=0, pods_per_period=1) == 2
    assert within_policy(1, replicas=5, added=0, removed=0, pods_per_period=1) == 4
    assert within_policy(1, replicas=4, added=0, removed=1, pods_per_period=1) == 4
    assert within_policy(3, replicas=3, added=1, removed=0, pods_per_period=1) == 3


def test_activity_means_strictly_above_the_threshold() -> None:
    assert not active(0, 0)
    assert active(1, 0)
    assert not active(5, 5)


def test_zero_comes_after_the_cooldown_since_the_last_activity() -> None:
    assert not cooled_down(now_s=400, last_active_s=100, cooldown_s=300)
    assert cooled_down(now_s=400.1, last_active_s=100, cooldown_s=300)


def test_nodes_are_added_for_replicas_that_fit_nowhere_up_to_the_pool_s_limit() -> None:
    assert nodes_to_add(pending=3, free_slots=0, slots_per_node=1, nodes=0, max_nodes=3) == 3
    assert nodes_to_add(pending=3, free_slots=1, slots_per_node=2, nodes=1, max_nodes=3) == 1
    assert nodes_to_add(pending=1, free_slots=1, slots_per_node=1, nodes=1, max_nodes=3) == 0
    assert nodes_to_add(pending=9, free_slots=0, slots_per_node=1, nodes=2, max_nodes=3) == 1
    assert nodes_to_add(pending=1, free_slots=0, slots_per_node=1, nodes=3, max_nodes=3) == 0


def test_an_empty_node_goes_ten_minutes_later_and_not_soon_after_another_came() -> None:
    assert removable_at(1000, float("-inf"), ASSUMED.cluster_autoscaler) == 1600
    assert removable_at(1000, 1300, ASSUMED.cluster_autoscaler) == 1900


def test_a_loop_s_next_turn_is_always_ahead() -> None:
    assert next_tick(0, 10) == 10
    assert next_tick(9.9, 10) == 10
    assert next_tick(10, 10) == 20


@pytest.mark.parametrize(
    ("policy", "at_work", "at_night", "on_sunday"),
    [
        (Policy.ALWAYS_ON, 2, 2, 2),
        (Policy.SCHEDULED, 2, 0, 0),
        (Policy.SUSPENDED, 2, None, None),
        (Policy.SCALE_TO_ZERO, 0, 0, 0),
    ],
)
def test_policies_differ_by_what_stays_loaded_when(
    policy: Policy, at_work: int, at_night: int | None, on_sunday: int | None
) -> None:
    moments = (2 * DAY_S + 10 * HOUR_S, 2 * DAY_S + 23 * HOUR_S, 6 * DAY_S + 10 * HOUR_S)
    expected = [at_work, at_night, on_sunday]
    assert [floor(policy, 2, WARM, moment) for moment in moments] == expected
    next_week = [floor(policy, 2, WARM, moment + 7 * DAY_S) for moment in moments]
    assert next_week == expected


def test_warm_hours_begin_with_their_first_minute_and_end_before_their_last() -> None:
    assert [moment in WARM for moment in (8 * HOUR_S - 1, 8 * HOUR_S, 18 * HOUR_S - 1, 18 * HOUR_S)] == [
        False,
        True,
        True,
        False,
    ]


def test_days_of_warm_hours_are_cron_s() -> None:
    assert hours_of(WarmHours(days="1-5")).days == {0, 1, 2, 3, 4}
    assert hours_of(WarmHours(days="0,6")).days == {5, 6}
    assert hours_of(WarmHours(start="07:30")).start_s == 7.5 * HOUR_S
