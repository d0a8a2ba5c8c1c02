"""Events of several namespaces, old ones and new ones, in the order of time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.cluster.api import ClusterApi
from scripts.cluster.events import events, read
from tests.support.cluster.fake_api import FakeCluster, fake_api

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def event(space: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": space, "name": name, "creationTimestamp": "2026-11-30T12:00:00Z"},
        "involvedObject": {"kind": "Pod", "name": f"pod-{name}"},
        "type": "Normal",
        "reason": "Pulled",
        "message": "Pulled the\n image",
        **more,
    }


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ClusterApi]:
    cluster = FakeCluster()
    cluster.add(
        "events",
        event("chat", "late", lastTimestamp="2026-11-30T12:09:00Z", count=7, type="Warning", reason="BackOff"),
        event("chat", "early", lastTimestamp="2026-11-30T11:00:00Z"),
        event("opik", "new-style", eventTime="2026-11-30T12:05:00.123456Z", lastTimestamp=None),
    )
    with fake_api(cluster, tmp_path) as api:
        yield api


def test_events_are_in_the_order_of_time_from_a_moment_on(api: ClusterApi) -> None:
    found = events(api, ["chat", "opik"], since=NOON)
    assert [one.object for one in found] == ["pod/pod-new-style", "pod/pod-late"]
    assert str(found[1]) == "2026-11-30T12:09:00Z chat/pod/pod-late BackOff: Pulled the image (7 times)"


def test_warnings_alone(api: ClusterApi) -> None:
    assert [one.reason for one in events(api, ["chat", "opik"], since=NOON, warnings=True)] == ["BackOff"]


def test_a_series_is_told_at_its_last_time() -> None:
    repeated = event(
        "a", "x", eventTime="2026-11-30T10:00:00Z", series={"count": 3, "lastObservedTime": "2026-11-30T12:01:00Z"}
    )
    assert (read(repeated).time, read(repeated).count) == ("2026-11-30T12:01:00Z", 3)
