"""Why an engine did not come up the last time, by the events of its pods, which Kubernetes keeps for an hour.

KEDA takes an engine that never gets ready back to zero; its pods, and what they said, are gone by then.
"""

import re
from collections.abc import Iterable

from .events import Event

USUAL = {"Unhealthy", "FailedToRetrieveImagePullSecret"}
"""Warnings of starts that go well: a startup probe asks from the beginning, and no private registry is used."""
FAILED_WITHOUT_A_WARNING = {"NotTriggerScaleUp"}
"""What the autoscaler calls normal: it has no pool that could take the pod."""
UNDER_WAY = {"Scheduled", "Started"}
"""What ends the meaning of the warnings before it."""


def why_not_started(events: Iterable[Event], deployment: str) -> str:
    """Return the last trouble of the youngest pod of a Deployment; empty where it came up, or nothing is known."""
    own = re.compile(rf"pod/{re.escape(deployment)}-[a-z0-9]+-[a-z0-9]{{5}}")
    found = sorted((event for event in events if own.fullmatch(event.object)), key=lambda event: event.time)
    if not found:
        return ""
    trouble = ""
    for event in found:
        if event.object != found[-1].object:
            continue
        if event.reason in UNDER_WAY:
            trouble = ""
        elif event.reason in FAILED_WITHOUT_A_WARNING or (event.warning and event.reason not in USUAL):
            trouble = f"{event.time} {event.reason}: {event.message}"
    return trouble
