"""What a plan would do, counted from Terraform's JSON."""

from typing import Any

import pytest

from scripts.review.plan import Changes, Plan, read_plan, total


def change(address: str, *actions: str) -> dict[str, Any]:
    return {"address": address, "change": {"actions": list(actions)}}


@pytest.mark.parametrize(
    ("actions", "changes"),
    [
        (["no-op"], Changes()),
        (["read"], Changes()),
        (["create"], Changes(create=1)),
        (["update"], Changes(update=1)),
        (["delete"], Changes(destroy=1)),
        (["delete", "create"], Changes(replace=1)),
        (["create", "delete"], Changes(replace=1)),
        (["forget"], Changes(destroy=1)),
        (["create", "forget"], Changes(destroy=1)),
    ],
)
def test_every_action_is_counted_as_what_it_means(actions: list[str], changes: Changes) -> None:
    assert read_plan({"resource_changes": [change("a.b", *actions)]}).changes == changes


def test_what_would_be_lost_is_listed_by_address() -> None:
    plan = read_plan(
        {
            "resource_changes": [
                change("z.gone", "delete"),
                change("a.again", "delete", "create"),
                change("a.new", "create"),
                change("a.kept", "update"),
            ]
        }
    )
    assert plan.lost == ("a.again (replaced)", "z.gone")


def test_a_job_that_has_run_is_no_loss() -> None:
    jobs = [change("kubernetes_job_v1.pull", "delete"), change("kubernetes_job_v1.wait", "delete", "create")]
    plan = read_plan({"resource_changes": [*jobs, change("kubernetes_job_v1_x.y", "delete")]})
    assert plan.changes == Changes(replace=1, destroy=2)
    assert plan.lost == ("kubernetes_job_v1_x.y",)


def test_changed_outputs_count_as_changes() -> None:
    plan = read_plan({"output_changes": {"a": {"actions": ["update"]}, "b": {"actions": ["no-op"]}}})
    assert plan.changes == Changes(outputs=1)
    assert not plan.changes.empty


def test_an_empty_plan_is_empty() -> None:
    assert read_plan({}) == Plan(Changes())
    assert Changes().empty


def test_plans_add_up() -> None:
    plans = [Plan(Changes(create=2, replace=1)), Plan(Changes(create=1, outputs=3))]
    assert total(plans) == Changes(create=3, replace=1, outputs=3)
    assert total(plans).resources == 5


@pytest.mark.parametrize(
    ("changes", "future", "past"),
    [
        (Changes(), "no changes", "no changes"),
        (Changes(create=2, destroy=1), "2 to create, 1 to destroy", "2 created, 1 destroyed"),
        (Changes(update=1, replace=3), "1 to update, 3 to replace", "1 updated, 3 replaced"),
        (Changes(outputs=1), "1 output to change", "1 output changed"),
        (Changes(outputs=2), "2 outputs to change", "2 outputs changed"),
    ],
)
def test_changes_are_told_before_and_after(changes: Changes, future: str, past: str) -> None:
    assert (str(changes), changes.past) == (future, past)
