"""Opik's writes stop for a snapshot and go on afterwards, wherever it breaks off."""

import os
import socket
from datetime import timedelta
from typing import Any

import pytest

from scripts.backup.quiesce import OWNER_MARK, REPLICAS_MARK, SET_MARK, Quiescence
from scripts.core.errors import ExitCode, OperatorError
from tests.support.backup.cluster import WRITING, FakeClock, FakeKubectl, FakeStores

SET = "20261130t030000z"


def parts() -> tuple[FakeKubectl, FakeStores, Quiescence]:
    kubectl, stores, time = FakeKubectl(), FakeStores(), FakeClock()
    return kubectl, stores, Quiescence(kubectl, stores.stores(), time.clock())


def test_writers_alone_are_stopped_and_come_back_as_many_as_they_were() -> None:
    kubectl, stores, quiescence = parts()
    with quiescence.quiet(SET):
        assert kubectl.replicas == {"opik-backend": 0, "opik-python-backend": 0, "opik-frontend": 2}
        assert stores.merges_stopped
    assert kubectl.replicas == WRITING
    assert kubectl.marks == {}
    assert not stores.merges_stopped


def test_stores_are_flushed_once_nobody_writes_and_no_merge_runs() -> None:
    kubectl, stores, quiescence = parts()
    with quiescence.quiet(SET):
        told = [what for _, what in stores.told]
    assert told[:4] == [
        "SYSTEM FLUSH ASYNC INSERT QUEUE",
        "SYSTEM STOP MERGES; SYSTEM STOP TTL MERGES",
        "SELECT count() FROM system.merges",
        "SELECT count() FROM system.merges",
    ]
    assert told[4:6] == ["FLUSH TABLES; FLUSH ENGINE LOGS", "exec redis-cli save"]
    synced = {pod for pod, what in stores.told if what == "exec sync"}
    assert synced == {
        "opik-mysql-0",
        "opik-redis-master-0",
        "opik-zookeeper-0",
        "chi-opik-clickhouse-cluster-0-0-0",
    }
    waited = [call for call in kubectl.calls if call[:2] == ("get", "pods")]
    assert len(waited) == 2


def test_how_many_pods_there_were_is_written_down_in_the_change_that_removes_them() -> None:
    """Between two changes a killed command would leave pods away, and nobody would know how many there were."""
    kubectl, _, quiescence = parts()
    with quiescence.quiet(SET):
        pass
    patches = [call for call in kubectl.calls if call[0] == "patch"]
    assert len(patches) == 4
    for patch in patches[:2]:
        for mark in (SET_MARK, REPLICAS_MARK, OWNER_MARK):
            assert f'"{mark}": "' in patch[-1]
        assert '"replicas": 0' in patch[-1]


def steps(quiescence: Quiescence, kubectl: FakeKubectl, stores: FakeStores, stop_at: int) -> int:
    """Quiesce and end at the nth step of either side; return how many steps there were."""
    count = 0

    def step(*_what: Any) -> None:
        nonlocal count
        count += 1
        if count == stop_at:
            raise ConnectionAbortedError("the machine is gone")

    kubectl.__dict__["before"] = step
    stores.before = step
    try:
        # What a killed process does: nothing is undone.
        quiescence._stop(SET)
        step()
        quiescence.resume()
    except ConnectionAbortedError:
        pass
    finally:
        kubectl.__dict__.pop("before")
        stores.before = lambda _pod, _what: None
    return count


TOTAL = 22


def test_the_steps_are_all_played() -> None:
    kubectl, stores, quiescence = parts()
    assert steps(quiescence, kubectl, stores, 0) == TOTAL
    assert (kubectl.replicas, kubectl.marks) == (WRITING, {})


@pytest.mark.parametrize("stop_at", range(1, TOTAL + 1))
def test_killed_at_any_step_the_next_run_brings_writes_back(stop_at: int) -> None:
    kubectl, stores, quiescence = parts()
    steps(quiescence, kubectl, stores, stop_at)
    quiescence.resume()
    assert (kubectl.replicas, kubectl.marks) == (WRITING, {})
    assert not stores.merges_stopped


@pytest.mark.parametrize(
    "refused", ["INSERT QUEUE", "SYSTEM STOP MERGES", "FLUSH TABLES", "redis-cli save", "exec sync"]
)
def test_a_store_that_refuses_ends_the_attempt_with_writes_going_on(refused: str) -> None:
    kubectl, stores, quiescence = parts()

    def refuse(_pod: str, what: str) -> None:
        if refused in what:
            raise OperatorError("no")

    stores.before = refuse
    with pytest.raises(OperatorError, match="no"), quiescence.quiet(SET):
        raise AssertionError("never reached")
    assert (kubectl.replicas, kubectl.marks) == (WRITING, {})


def test_a_clickhouse_in_which_no_insert_can_wait_is_no_error() -> None:
    kubectl, stores, quiescence = parts()

    def refuse(_pod: str, what: str) -> None:
        if "INSERT QUEUE" in what:
            raise OperatorError("Cannot flush asynchronous insert queue because it is not initialized. (BAD_ARGUMENTS)")

    stores.before = refuse
    with quiescence.quiet(SET):
        assert stores.merges_stopped
    assert kubectl.replicas == WRITING


def test_an_interruption_brings_writes_back() -> None:
    kubectl, stores, quiescence = parts()
    with pytest.raises(KeyboardInterrupt), quiescence.quiet(SET):
        raise KeyboardInterrupt
    assert (kubectl.replicas, kubectl.marks) == (WRITING, {})
    assert not stores.merges_stopped


def test_merges_that_never_end_give_up_in_time() -> None:
    kubectl, stores, quiescence = parts()
    stores.merging = [1]
    with (
        pytest.raises(OperatorError, match="waited 600 s in vain until ClickHouse's merges end"),
        quiescence.quiet(SET),
    ):
        raise AssertionError("never reached")
    assert kubectl.replicas == WRITING


def test_merges_that_cannot_be_started_keep_the_mark_until_they_can() -> None:
    kubectl, stores, quiescence = parts()

    def refuse(_pod: str, what: str) -> None:
        if "START MERGES" in what:
            raise OperatorError("connection refused")

    stores.before = refuse
    with pytest.raises(OperatorError, match="ClickHouse may not merge: connection refused"), quiescence.quiet(SET):
        pass
    assert kubectl.replicas == WRITING, "people work again all the same"
    assert quiescence.leftover() == SET
    stores.before = lambda _pod, _what: None
    quiescence.resume()
    assert (quiescence.leftover(), kubectl.marks, stores.merges_stopped) == ("", {}, False)


def test_a_set_during_which_somebody_deployed_is_no_set() -> None:
    kubectl, _, quiescence = parts()
    told = "opik-backend was started before the snapshots were made"
    with pytest.raises(OperatorError, match=told), quiescence.quiet(SET):
        kubectl.deployments["opik-backend"]["spec"]["replicas"] = 5
    assert kubectl.replicas == {**WRITING, "opik-backend": 5}, "the deployment's number stays"
    assert kubectl.marks == {}


def left_by(owner: str, set_id: str = SET) -> tuple[FakeKubectl, FakeStores, Quiescence]:
    kubectl, stores, quiescence = parts()
    for name in ("opik-backend", "opik-python-backend"):
        found = kubectl.deployments[name]
        marks = {SET_MARK: set_id, REPLICAS_MARK: str(found["spec"]["replicas"]), OWNER_MARK: owner}
        found["metadata"]["annotations"] = marks
        found["spec"]["replicas"] = 0
    return kubectl, stores, quiescence


def test_another_command_that_is_at_work_is_left_alone() -> None:
    for owner in (f"{socket.gethostname()}/{os.getpid()}", "another-machine/12"):
        kubectl, _, quiescence = left_by(owner)
        with pytest.raises(OperatorError, match="are stopped by") as refused:
            quiescence.repair()
        assert refused.value.code == ExitCode.NOT_READY
        assert kubectl.replicas["opik-backend"] == 0


@pytest.mark.parametrize(
    ("owner", "set_id"),
    [(f"{socket.gethostname()}/4194999", SET), ("another-machine/12", "20261130t022959z"), ("", "20261130t022959z")],
    ids=["ended-here", "long-ago-elsewhere", "long-ago-unknown"],
)
def test_what_a_killed_command_left_is_repaired(owner: str, set_id: str) -> None:
    kubectl, _, quiescence = left_by(owner, set_id)
    assert quiescence.repair() == set_id
    assert (kubectl.replicas, kubectl.marks) == (WRITING, {})


def test_a_mark_counts_as_left_after_half_an_hour_exactly() -> None:
    _, _, quiescence = left_by("another-machine/12")
    times = quiescence.clock
    young = Quiescence(quiescence.kubectl, quiescence.stores, FakeClock(times.utc() + timedelta(seconds=1790)).clock())
    with pytest.raises(OperatorError):
        young.repair()
    old = Quiescence(quiescence.kubectl, quiescence.stores, FakeClock(times.utc() + timedelta(seconds=1800)).clock())
    assert old.repair() == SET


def test_nothing_is_repaired_where_nothing_is_left() -> None:
    kubectl, stores, quiescence = parts()
    assert quiescence.repair() == ""
    quiescence.resume()
    assert kubectl.replicas == WRITING
    assert stores.told == []
