"""Why an engine did not come up is reported after its pods are gone, and an ordinary start is no trouble."""

import pytest

from scripts.cluster.events import Event
from scripts.cluster.last_start import why_not_started

ENGINE = "vllm-qwen"
POD = f"pod/{ENGINE}-5d9c7f6b8-x2x4z"


def event(minute: int, reason: str, message: str = "", *, warning: bool = False, pod: str = POD) -> Event:
    return Event(f"2026-12-01T10:{minute:02}:00Z", warning, "serving", pod, reason, message, 1)


SCHEDULED = [
    event(0, "FailedScheduling", "0/3 nodes are available", warning=True),
    event(1, "TriggeredScaleUp", "pod triggered scale-up"),
    event(6, "Scheduled"),
    event(9, "Started", "Started container vllm"),
    event(10, "Unhealthy", "Startup probe failed: connection refused", warning=True),
]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], ""),
        (SCHEDULED, ""),
        (SCHEDULED[:1], "2026-12-01T10:00:00Z FailedScheduling: 0/3 nodes are available"),
        (
            [*SCHEDULED, event(20, "BackOff", "Back-off restarting failed container", warning=True)],
            "2026-12-01T10:20:00Z BackOff: Back-off restarting failed container",
        ),
        (
            [event(2, "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")],
            "2026-12-01T10:02:00Z NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached",
        ),
        # Another model whose name begins alike, and the pod of an earlier start.
        ([event(3, "Failed", "no", warning=True, pod=f"pod/{ENGINE}-2-5d9c7f6b8-x2x4z")], ""),
        ([event(0, "Failed", "no", warning=True, pod=f"pod/{ENGINE}-5d9c7f6b8-aaaaa"), *SCHEDULED], ""),
    ],
)
def test_the_last_trouble_of_the_youngest_pod_counts(events: list[Event], why: str) -> None:
    assert why_not_started(events, ENGINE) == why
